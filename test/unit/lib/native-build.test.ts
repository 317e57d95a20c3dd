import { createMemoryRecords } from '../../../src/gateway.ts';

let failure: Error;

jest.mock('better-sqlite3', () =>
  jest.fn(() => {
    throw failure;
  }),
);

it('says what to run when the native build is missing', () => {
  failure = new Error(`Could not locate the bindings file. Tried:\n${' → /a/b.node\n'.repeat(13)}`);
  expect(createMemoryRecords).toThrow(
    /^The native build of better-sqlite3 is missing\. Run "npm rebuild better-sqlite3"\.$/,
  );
});

it('says what to run when the native build is for another version of Node', () => {
  const text =
    'The module was compiled against a different Node.js version using\nNODE_MODULE_VERSION 1.';
  failure = Object.assign(new Error(text), { code: 'ERR_DLOPEN_FAILED' });
  expect(createMemoryRecords).toThrow(
    /^The native build .* cannot be loaded by Node [\d.]+; .*\. Run "npm rebuild better-sqlite3"\.$/,
  );
});

it('does not change other errors', () => {
  failure = new Error('disk I/O error');
  expect(createMemoryRecords).toThrow(failure);
});
