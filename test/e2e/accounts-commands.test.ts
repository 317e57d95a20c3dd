import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callApi, generateOTAUploadURL, queryDownloadUrl } from '../../src/client/api-client.ts';
import { createOTAFirmware } from '../../src/client/api-client.ts';
import {
  folderAccountsShape,
  changedAccountShape,
  newAccessKeyShape,
  rotatedBucketKeyShape,
} from '../../src/operator/account-shapes.ts';
import { startWithAccounts } from '../support/accounts.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { eventually, runCli } from '../support/built-gateway.ts';
import { apiOf, codeOf, post } from '../support/loop.ts';
import { folderForEachTest } from '../support/suite.ts';

const KEY = { id: 'ak1', secret: 'secret1' };
const FILE = `{
  "accounts": [
    { "id": "acme", "accessKeys": [{ "id": "ak1", "secret": "secret1" }], "maxUploads": 7 },
    { "id": "globex", "accessKeys": [{ "id": "ak2", "secret": "secret2", "disabled": true }] }
  ]
}
`;
/** Keys of the bucket that are generated, as in a new data folder. */
const GENERATED = { OTA_GATEWAY_OSS_ACCESS_KEY_ID: '', OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: '' };

const folder = folderForEachTest();

function accounts(...args: string[]): ReturnType<typeof runCli> {
  const places = ['--data-dir', join(folder.path, 'data'), '--accounts-file', file()];
  return runCli(['accounts', ...args, ...places]);
}

function file(): string {
  return join(folder.path, 'accounts.json');
}

/** Uploads, claims and downloads until it is told to end. @returns how often, and what has failed */
async function work(
  { url }: BuiltGateway,
  isOver: () => boolean,
): Promise<{ rounds: number; failures: unknown[] }> {
  const failures: unknown[] = [];
  let rounds = 0;
  for (; !isOver(); rounds += 1) {
    const grant = await generateOTAUploadURL(apiOf(url, KEY), { FileSuffix: 'bin' });
    const posted = await post(grant, Buffer.from('bytes'));
    if (posted.status !== 200) failures.push(posted);
    const firmwareId = await createOTAFirmware(apiOf(url, KEY), {
      FirmwareName: `round${String(rounds)}`,
      DestVersion: String(rounds),
      FirmwareUrl: grant.firmwareUrl,
    });
    const { status } = await fetch(await downloadUrl(url, firmwareId));
    if (status !== 200) failures.push(status);
  }
  return { rounds, failures };
}

function downloadUrl(url: string, firmwareId: string): Promise<string> {
  return queryDownloadUrl(apiOf(url, KEY), { FirmwareId: firmwareId });
}

it('rotates both kinds of key while clients work, and no request fails', async () => {
  const gateway = await startWithAccounts(
    folder.path,
    [{ id: 'acme', accessKeys: [KEY] }],
    GENERATED,
  );
  const api = apiOf(gateway.url, KEY);
  const before = await generateOTAUploadURL(api, { FileSuffix: 'bin' });
  const stored = await generateOTAUploadURL(api, { FileSuffix: 'bin' });
  await post(stored, Buffer.from('older'));
  const FirmwareUrl = stored.firmwareUrl;
  const claim = { FirmwareName: 'older', DestVersion: 'older', FirmwareUrl };
  const oldUrl = await downloadUrl(gateway.url, await createOTAFirmware(api, claim));
  let over = false;
  const working = work(gateway, () => over);

  const rotated = await accounts('rotate', KEY.id, '--json');
  const { accessKeyId, accessKeySecret, ...rest } = newAccessKeyShape.parse(
    JSON.parse(rotated.stdout),
  );
  expect(rest).toMatchObject({ account: 'acme', previous: { accessKeyId: KEY.id } });
  expect(rest.reload).toBe('asked');
  const bucket = await accounts('rotate', '--bucket', '--json');
  const shape = rotatedBucketKeyShape.parse(JSON.parse(bucket.stdout));
  expect(shape.previous.accessKeyId).toBe(before.accessKeyId);
  const fresh = apiOf(gateway.url, { id: accessKeyId, secret: accessKeySecret });
  await eventually(async () => {
    const grant = await generateOTAUploadURL(fresh, { FileSuffix: 'bin' });
    return grant.accessKeyId === shape.accessKeyId;
  });

  // Both were made before.
  expect((await post(before, Buffer.from('late'))).status).toBe(200);
  expect(await (await fetch(oldUrl)).text()).toBe('older');
  over = true;
  const { failures, rounds } = await working;
  expect(failures).toEqual([]);
  expect(rounds).toBeGreaterThan(3);
  expect((await accounts('disable', KEY.id)).code).toBe(0);
  await eventually(async () => (await codeOf(callApi(api, 'GenerateOTAUploadURL'))) !== 'ok');
  expect(gateway.output()).not.toContain(accessKeySecret);
  expect(await gateway.stop()).toBe(0);
}, 20_000);

it('lists the only account as an operator unless it is marked as none, as the gateway treats it', async () => {
  for (const [mark, operator] of [
    [{}, true],
    [{ operator: false }, false],
  ] as const) {
    await writeFile(
      file(),
      JSON.stringify({ accounts: [{ id: 'sole', ...mark, accessKeys: [KEY] }] }),
    );
    const { stdout } = await accounts('ls', '--json');
    expect(folderAccountsShape.parse(JSON.parse(stdout)).items[0]).toMatchObject({ operator });
  }
});

it('adds, lists, disables and removes in the file, whose other lines and mode stay', async () => {
  await writeFile(file(), FILE);
  await chmod(file(), 0o640);
  const added = await accounts('add', 'initech', '--operator', '--max-bytes', '10GiB', '--json');
  const { accessKeyId, accessKeySecret, reload } = newAccessKeyShape.parse(
    JSON.parse(added.stdout),
  );
  expect(reload).toBe('notRunning');
  expect((await stat(file())).mode & 0o777).toBe(0o640);
  const key = `{ "id": "${accessKeyId}", "secret": "${accessKeySecret}" }`;
  const line = `    { "id": "initech", "operator": true, "accessKeys": [${key}], "maxBytes": "10GiB" }`;
  expect(await readFile(file(), 'utf8')).toBe(FILE.replace('] }\n  ]', `] },\n${line}\n  ]`));

  const listed = await accounts('ls', '--json');
  expect(listed.stdout).not.toContain('secret');
  const { items: shown, bucket } = folderAccountsShape.parse(JSON.parse(listed.stdout));
  expect(bucket.limits).toMatchObject({ maxBytes: 'off', maxRate: 'off' });
  expect(shown.map(({ accessKeys, id }) => [id, accessKeys[0]?.state])).toEqual([
    ['acme', 'active'],
    ['globex', 'disabled'],
    ['initech', 'active'],
  ]);
  expect(shown[0]?.limits).toEqual({
    ...{ maxBytes: 'off', maxUploads: 7, maxConcurrent: 'off', maxRate: 'off' },
  });
  expect(shown[2]).toMatchObject({ operator: true, limits: { maxBytes: 10 * 1024 ** 3 } });

  const disabled = await accounts('disable', 'initech', '--json');
  expect(changedAccountShape.parse(JSON.parse(disabled.stdout))).toMatchObject({
    account: 'initech',
    accessKeyIds: [accessKeyId],
  });
  expect(await readFile(file(), 'utf8')).toContain(`"${accessKeySecret}", "disabled": true }`);
  expect((await accounts('rm', 'initech')).stderr).toContain('Give --yes');
  expect((await accounts('rm', 'initech', '--yes')).code).toBe(0);
  expect(await readFile(file(), 'utf8')).toBe(FILE);
}, 20_000);

it.each([
  [['add', 'acme'], 'the account acme exists. Give --another-key to add an access key to it'],
  [['rm', 'ak1', '--yes'], 'ak1 is the only access key of the account acme. Disable it'],
  [['rotate', 'ak9'], 'there is no access key ak9; there are ak1, ak2'],
])('refuses %j, says why, and changes nothing', async (args, message) => {
  await writeFile(file(), FILE);
  const { code, stderr, stdout } = await accounts(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
  expect(await readFile(file(), 'utf8')).toBe(FILE);
});

it('says how to come to an accounts file when there is none', async () => {
  const { code, stderr } = await runCli(['accounts', 'add', 'acme', '--data-dir', folder.path]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    'there is no accounts file, so there is one account with the id "default"',
  );
  expect(stderr).toContain('OTA_GATEWAY_ACCOUNTS_FILE');
});
