import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createOTAFirmware } from '../../src/client/api-client.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import {
  BUCKET_KEY,
  runCli,
  startBuiltGateway,
  temporaryFolder,
} from '../support/built-gateway.ts';
import { md5Hex, patternBytes, sha256Hex } from '../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';

const BYTES = patternBytes(200_001);
const HOUR = 3600;
const ENVIRONMENT = {
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
};

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** Each test starts several processes. */
jest.setTimeout(30_000);

describe('the commands url and payload', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'));
  });

  afterAll(async () => {
    await gateway.kill();
    await folder.remove();
  });

  const run = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--data-dir', gateway.dataDir, '--port', String(gateway.port)], ENVIRONMENT);

  const store = async (bytes: Buffer): Promise<Awaited<ReturnType<typeof grantFrom>>> => {
    const grant = await grantFrom(gateway.url);
    expect(await post(grant, bytes)).toMatchObject({ status: 200 });
    return grant;
  };

  it('print a URL for a key, claimed or not, and for a FirmwareId', async () => {
    const grant = await store(BYTES);
    const stored = await run('url', grant.key);
    expect(stored).toMatchObject({ code: 0, stderr: '' });
    expect((await fetchBytes(stored.stdout.trim())).equals(BYTES)).toBe(true);

    const firmwareId = await claim(gateway.url, grant, 'url');
    const before = Math.floor(Date.now() / 1000);
    const claimed = await run('url', grant.key, '--expires', '2h');
    expect((await fetchBytes(claimed.stdout.trim())).equals(BYTES)).toBe(true);
    const expires = Number(new URL(claimed.stdout.trim()).searchParams.get('Expires'));
    expect(expires - before).toBeGreaterThanOrEqual(2 * HOUR);
    expect(expires - before).toBeLessThan(3 * HOUR);

    const byId = await run('url', firmwareId, '--public-url', 'https://ota.example/base/');
    const url = byId.stdout.trim();
    expect(url).toMatch(/^https:\/\/ota\.example\/base\/ota\/[^\n]*$/);
    const local = url.replace('https://ota.example/base', gateway.url);
    expect((await fetchBytes(local)).equals(BYTES)).toBe(true);
    expect(gateway.output() + byId.stdout).not.toContain(BUCKET_KEY.secret);
  });

  it('print the message for a package of one file', async () => {
    const grant = await store(BYTES);
    const firmwareId = await createOTAFirmware(apiOf(gateway.url), {
      FirmwareName: 'one',
      DestVersion: '2.0.0',
      FirmwareUrl: grant.firmwareUrl,
      SrcVersion: '1.0.0',
      Type: 1,
      ModuleName: 'MCU',
      Udi: '{"key1":"value1"}',
    });
    const { code, stdout } = await run('payload', firmwareId);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    const message = JSON.parse(stdout) as { id: number; data: { url: string } };
    expect(message).toEqual({
      code: '1000',
      message: 'success',
      id: expect.any(Number) as number,
      data: {
        size: BYTES.length,
        version: '2.0.0',
        isDiff: 1,
        url: expect.any(String) as string,
        md5: md5Hex(BYTES),
        sign: md5Hex(BYTES),
        signMethod: 'MD5',
        module: 'MCU',
        extData: { _package_udi: '{"key1":"value1"}' },
      },
    });
    // As in two captured pushes of the platform.
    const expires = Number(new URL(message.data.url).searchParams.get('Expires'));
    expect(expires).toBe(Math.floor(message.id / 1000) + 24 * HOUR);
    expect((await fetchBytes(message.data.url)).equals(BYTES)).toBe(true);
  });

  it('print the message and the URLs of a package of several files, also without a running gateway', async () => {
    const bodies = [BYTES, BYTES.subarray(0, 3)];
    const grants = [await store(BYTES), await store(BYTES.subarray(0, 3))];
    const files = grants.flatMap(({ firmwareUrl }, index) => [
      [`MultiFiles.${String(index + 1)}.Name`, `part-${String(index)}`],
      [`MultiFiles.${String(index + 1)}.Url`, firmwareUrl],
    ]);
    const firmwareId = await createOTAFirmware(apiOf(gateway.url), {
      FirmwareName: 'several',
      DestVersion: '2.0.0',
      SignMethod: 'SHA256',
      ...Object.fromEntries(files),
    });
    const { stdout } = await run('payload', firmwareId);
    const { data } = JSON.parse(stdout) as { data: { files: { fileUrl: string }[] } };
    expect(data).toEqual({
      version: '2.0.0',
      signMethod: 'SHA256',
      files: bodies.map((bytes, index) => ({
        fileSize: bytes.length,
        fileName: `part-${String(index)}`,
        fileUrl: expect.any(String) as string,
        fileMd5: md5Hex(bytes),
        fileSign: sha256Hex(bytes),
      })),
    });
    for (const [index, { fileUrl }] of data.files.entries()) {
      expect((await fetchBytes(fileUrl)).equals(bodies[index] ?? Buffer.of())).toBe(true);
    }

    expect(await gateway.stop()).toBe(0);
    const offline = await run('url', firmwareId);
    const paths = offline.stdout
      .trim()
      .split('\n')
      .map((url) => new URL(url).pathname);
    expect(paths).toEqual(grants.map(({ key }) => `/${key}`));
    gateway = await startBuiltGateway(gateway.dataDir);
  });

  it('sign with the keys in the data folder', async () => {
    const dataDir = join(folder.path, 'kept');
    const kept = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: '',
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: '',
    });
    const grant = await grantFrom(kept.url);
    await post(grant, BYTES);
    const { stdout } = await runCli([
      'url',
      grant.key,
      '--data-dir',
      dataDir,
      '--port',
      String(kept.port),
    ]);
    expect((await fetchBytes(stdout.trim())).equals(BYTES)).toBe(true);
    expect(await kept.stop()).toBe(0);
  });

  it('report what is wrong, and create no file', async () => {
    const issued = await grantFrom(gateway.url);
    const before = await readdir(gateway.dataDir);
    const none = join(folder.path, 'none');
    const cases: [string[], number, RegExp][] = [
      [['url', issued.key], 1, /^nothing was uploaded to ota\/\S+ yet\. Send the file/m],
      [['url', 'none'], 1, /^no upload, firmware package or request is called none\. Give/m],
      [['payload', 'none'], 1, /^no upload, firmware package or request is called none\. Give/m],
      [
        ['payload', issued.key],
        1,
        /^there is no firmware package ota\S+\. Make one of the upload/m,
      ],
      [['url', '0F87FFBB2E0A838FA174F1E5'], 1, /is the id of a request, which has nothing to/],
      [['url', 'x', '--expires', '0s'], 2, /^--expires: expected more than 0, found "0s"/],
      [
        ['url', 'x', '--data-dir', none],
        2,
        /^--data-dir: .*none does not exist: expected the data folder of a gateway\. Give the/,
      ],
      [['url', 'x', '--expires', 'soon'], 2, /expected a duration such as .*, found "soon"/],
      [['url', 'x', '--no-such'], 2, /unknown option '--no-such'/],
      [['url'], 2, /missing required argument/],
    ];
    const inFolder = { ...ENVIRONMENT, OTA_GATEWAY_DATA_DIR: gateway.dataDir };
    const results = await Promise.all(cases.map(([args]) => runCli(args, inFolder)));
    for (const [index, [, code, stderr]] of cases.entries()) {
      expect(results[index]).toMatchObject({
        code,
        stdout: '',
        stderr: expect.stringMatching(stderr) as string,
      });
    }
    const grant = await store(BYTES);
    const nowhere = await runCli(
      ['url', grant.key, '--data-dir', gateway.dataDir, '--port', '0'],
      ENVIRONMENT,
    );
    expect(nowhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^OTA_GATEWAY_PUBLIC_URL: clients cannot connect to 127\.0\.0\.1:0: set the URL/m,
      ) as string,
    });
    const keyless = await runCli(['url', grant.key, '--data-dir', gateway.dataDir]);
    expect(keyless).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /credentials\.json does not exist: no gateway has generated keys/,
      ) as string,
    });
    expect(await readdir(gateway.dataDir)).toEqual(before);
  });
});
