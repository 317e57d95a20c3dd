import { runInProcess } from '../../support/run-in-process.ts';

const VARIABLES = {
  OTA_GATEWAY_LEDGER_URL: 'postgres://ota:geheim@db.example',
  OTA_GATEWAY_STORE_URL: 's3://id:geheim@bodies',
};
const before = { ...process.env };

beforeEach(() => {
  Object.assign(process.env, VARIABLES);
});

afterEach(() => {
  process.env = { ...before };
});

const BOTH =
  /^OTA_GATEWAY_LEDGER_URL: expected postgres:.*: it must name one database.*\nOTA_GATEWAY_STORE_URL: expected a URL such as s3:.*: it must not have keys in it/m;

it.each([
  ['show-config'],
  ['serve'],
  ['ls'],
  ['show', 'x'],
  ['explain'],
  ['rm', 'x', '--yes'],
  ['purge'],
  ['url', 'x'],
  ['payload', 'x'],
  ['accounts', 'ls'],
  ['fsck'],
  ['fsck', '--sweep'],
  ['backup', '/tmp/ota-no-backup'],
])('a wrong URL of ledger or store is a wrong setting of the command %s %s', async (...args) => {
  const { code, stderr, stdout } = await runInProcess(...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(BOTH);
  expect(stdout + stderr).not.toContain('geheim');
});

it('doctor lists both', async () => {
  const { code, stdout } = await runInProcess('doctor', '--json', '--port', '0');
  expect(code).toBe(3);
  const { points } = JSON.parse(stdout);
  const environment = points.find(({ name }: { name: string }) => name === 'environment');
  expect(environment.text.replace('; OTA_', '\nOTA_')).toMatch(BOTH);
  expect(stdout).not.toContain('geheim');
});
