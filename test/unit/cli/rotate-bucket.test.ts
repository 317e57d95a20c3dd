import {
  loadOrCreateCredentials,
  readCredentials,
} from '../../../src/accounts/credentials-file.ts';
import { rotatedBucketKeyShape } from '../../../src/operator/account-shapes.ts';
import { errorShape } from '../../../src/operator/shapes.ts';
import type { CommandResult } from '../../support/run-in-process.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { folderForEachTest } from '../../support/suite.ts';

const folder = folderForEachTest();

function rotate(...flags: string[]): Promise<CommandResult> {
  return runInProcess('accounts', 'rotate', '--bucket', '--data-dir', folder.path, ...flags);
}

it('does not end a bucket key early whose end it has promised, and says when it can rotate again', async () => {
  const first = loadOrCreateCredentials(folder.path).bucket.id;
  const { stdout } = await rotate('--json');
  const { previous } = rotatedBucketKeyShape.parse(JSON.parse(stdout));
  expect(previous.accessKeyId).toBe(first);
  const before = readCredentials(folder.path);

  const again = await rotate('--json');
  expect({ ...again, stderr: '' }).toEqual({ code: 1, stdout: '', stderr: '' });
  const { code, hint, message } = errorShape.parse(JSON.parse(again.stderr)).error;
  expect(code).toBe('PreviousKeyAccepted');
  expect(message).toBe(
    `the bucket key from before the last rotation, ${first}, is accepted until ${previous.acceptedUntil}; another rotation ends it at once, with the download URLs that it has signed`,
  );
  expect(hint).toBe(
    'Wait until then, or give --yes to end it; --expire now ends the present key, too',
  );
  expect(readCredentials(folder.path)).toEqual(before);
});

it.each([['--yes'], ['--expire', 'now']])(
  'ends the key before the last one when it is told to by %s, and says which',
  async (...flags) => {
    const first = loadOrCreateCredentials(folder.path).bucket.id;
    const { previous } = rotatedBucketKeyShape.parse(JSON.parse((await rotate('--json')).stdout));
    const { code, stdout } = await rotate('--json', ...flags);
    expect(code).toBe(0);
    expect(rotatedBucketKeyShape.parse(JSON.parse(stdout)).ended).toEqual({
      accessKeyId: first,
      acceptedUntil: previous.acceptedUntil,
    });
  },
);

it('rotates again without asking after the time of the previous key, or when it ended at once', async () => {
  loadOrCreateCredentials(folder.path);
  await rotate('--expire', 'now');
  await rotate('--expire', '0s');
  const { code, stderr, stdout } = await rotate('--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(rotatedBucketKeyShape.parse(JSON.parse(stdout))).not.toHaveProperty('ended');
});
