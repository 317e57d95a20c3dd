import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { UploadGrant } from '../../src/client/api-client.ts';
import { queryDownloadUrl } from '../../src/client/api-client.ts';
import { formFields } from '../../src/client/post-object.ts';
import type { Site } from '../support/browser.ts';
import { serveUploadPage, startChromium } from '../support/browser.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { bodiesOnDisk, startBuiltGateway, temporaryFolder } from '../support/built-gateway.ts';
import { md5Hex, patternBytes, sha256Hex } from '../support/bytes.ts';
import { apiOf, claim, download, grantFrom } from '../support/loop.ts';
import { describeWith } from '../support/programs.ts';

const BYTES = patternBytes(3_000_001);
const ETAG = `"${md5Hex(BYTES).toUpperCase()}"`;
const HEADERS = ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma', 'Content-MD5', 'Server'];
/** What a script gets for a response that it must not read. */
const NOTHING = Object.fromEntries(HEADERS.map((name) => [name, null]));

describeWith('chromium', 'a page of another origin, in Chromium', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let site: Site;
  let page: Page;
  /** The methods of all requests of the browser to a gateway, including preflights. */
  let requests: string[];
  /** Has a CORS rule for the site. */
  let open: BuiltGateway;
  /** Has no such rule. */
  let closed: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    site = await serveUploadPage();
    const rule = {
      allowedOrigins: [site.origin],
      allowedMethods: ['POST', 'GET'],
      allowedHeaders: ['Range', 'If-*'],
      exposeHeaders: ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma', 'Content-Range'],
      maxAgeSeconds: 0,
    };
    open = await startBuiltGateway(join(folder.path, 'open'), {
      OTA_GATEWAY_CORS_RULES: JSON.stringify([rule]),
    });
    closed = await startBuiltGateway(join(folder.path, 'closed'), {
      OTA_GATEWAY_CORS_RULES: JSON.stringify([{ ...rule, allowedOrigins: ['https://other.test'] }]),
    });
    browser = await startChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
    expect(await open.stop()).toBe(0);
    expect(await closed.stop()).toBe(0);
    await folder.remove();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    requests = [];
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    devtools.on('Network.requestWillBeSent', ({ request }) => {
      if (!request.url.startsWith(site.origin)) requests.push(request.method);
    });
    await page.goto(site.origin);
    await page.setInputFiles('input[type=file]', {
      name: 'firmware.bin',
      mimeType: 'application/octet-stream',
      buffer: BYTES,
    });
  });

  afterEach(() => page.close());

  /** Calls a function of the page. */
  const call = (name: string, ...args: readonly unknown[]): Promise<unknown> =>
    page.evaluate(`${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);

  const arrived = async (
    gateway: BuiltGateway,
    grant: UploadGrant,
    name: string,
  ): Promise<boolean> =>
    (await download(gateway.url, await claim(gateway.url, grant, name))).equals(BYTES);

  it('submits a form, and follows the redirect', async () => {
    const grant = await grantFrom(open.url);
    const fields = [
      ...formFields(grant),
      ['success_action_redirect', `${site.origin}/done?from=form`],
    ];
    const shown = new URL(String(await call('submitForm', grant.host, fields)));
    expect(shown.origin + shown.pathname).toBe(`${site.origin}/done`);
    expect(Object.fromEntries(shown.searchParams)).toEqual({
      ...{ from: 'form', bucket: 'iotx-ota', key: grant.key, etag: ETAG },
    });
    expect(await arrived(open, grant, 'form')).toBe(true);
  });

  it('submits a form without a rule, and cannot read the response', async () => {
    const grant = await grantFrom(closed.url);
    expect(await call('submitForm', grant.host, formFields(grant))).toBe('SecurityError');
    expect(await arrived(closed, grant, 'form')).toBe(true);
  });

  it('uploads by XMLHttpRequest with progress if a rule allows it', async () => {
    const grant = await grantFrom(open.url);
    const options = { progress: true, headers: HEADERS };
    const seen = await call('uploadByXhr', grant.host, formFields(grant), options);
    expect(seen).toEqual({
      status: 200,
      sent: expect.any(Number) as number,
      headers: {
        ...NOTHING,
        ETag: ETAG,
        'x-oss-request-id': expect.stringMatching(/^[0-9A-F]{24}$/) as string,
        'x-oss-hash-crc64ecma': expect.stringMatching(/^\d+$/) as string,
      },
    });
    expect((seen as { sent: number }).sent).toBeGreaterThan(BYTES.length);
    expect(requests.sort()).toEqual(['OPTIONS', 'POST']);
    expect(await arrived(open, grant, 'xhr')).toBe(true);
  });

  it('reads nothing without a rule, and sends nothing after a rejected preflight', async () => {
    const asking = await grantFrom(closed.url);
    const failed = { status: 0, sent: 0, headers: NOTHING };
    const ask = { progress: true, headers: HEADERS };
    expect(await call('uploadByXhr', asking.host, formFields(asking), ask)).toEqual(failed);
    expect(requests).toContain('OPTIONS');
    await expect(claim(closed.url, asking, 'asking')).rejects.toMatchObject({
      code: 'iot.firmware.InvalidFirmwareUrl',
    });

    requests.length = 0;
    const simple = await grantFrom(closed.url);
    const tell = { progress: false, headers: HEADERS };
    expect(await call('uploadByXhr', simple.host, formFields(simple), tell)).toEqual(failed);
    expect(requests).toEqual(['POST']);
    expect(await arrived(closed, simple, 'simple')).toBe(true);
  });

  it('reads an error response', async () => {
    const grant = await grantFrom(open.url);
    const fields = new Map([...formFields(grant), ['signature', 'wrong']]);
    const before = await bodiesOnDisk(open.dataDir);
    const seen = await call('uploadByXhr', grant.host, [...fields], {
      progress: false,
      headers: HEADERS,
    });
    expect(seen).toMatchObject({ status: 403, headers: { ETag: null } });
    expect(await bodiesOnDisk(open.dataDir)).toEqual(before);
  });

  it('downloads a whole file and a range', async () => {
    const grant = await grantFrom(open.url);
    await call('uploadByXhr', grant.host, formFields(grant), { progress: false, headers: [] });
    const firmwareId = await claim(open.url, grant, 'download');
    const url = await queryDownloadUrl(apiOf(open.url), { FirmwareId: firmwareId });
    expect(await call('download', url, { send: {}, headers: HEADERS })).toEqual({
      status: 200,
      sha256: sha256Hex(BYTES),
      headers: {
        ...NOTHING,
        ETag: ETAG,
        'x-oss-request-id': expect.any(String) as string,
        'x-oss-hash-crc64ecma': expect.any(String) as string,
      },
    });
    expect(requests).not.toContain('OPTIONS');

    const part = {
      send: { Range: 'bytes=1-1000000', 'If-Match': ETAG },
      headers: ['Content-Range'],
    };
    expect(await call('download', url, part)).toEqual({
      status: 206,
      sha256: sha256Hex(BYTES.subarray(1, 1_000_001)),
      headers: { 'Content-Range': `bytes 1-1000000/${String(BYTES.length)}` },
    });
    expect(requests).toContain('OPTIONS');
  });
});
