import { ApiCallError } from '../../../src/client/api-call-error.ts';
import { withHint } from '../../../src/cli/api-hints.ts';
import { systemFailureOf } from '../../../src/lib/system-failure.ts';

it.each(['ServiceUnavailable', 'DiskFull'])('names `ota-gateway health` after %s', (code) => {
  const error = new ApiCallError({ code, message: 'no', status: 503, requestId: 'x' });
  expect(withHint(error)).toMatchObject({
    code,
    hint: expect.stringContaining('`ota-gateway health`') as unknown,
  });
});

it('says what to do with a ledger on a file system that is mounted read-only', () => {
  const error = Object.assign(new Error('unable to open database file'), {
    code: 'SQLITE_CANTOPEN',
  });
  expect(systemFailureOf(error)?.hint).toMatch(/owner and mode; .* mounted read-only, copy the/);
});
