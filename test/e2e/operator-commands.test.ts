import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { removeResult, payloadResult, urlResult } from '../../src/cli/shapes.ts';
import type { RequestShape } from '../../src/operator/shapes.ts';
import { packageShape } from '../../src/operator/package-shapes.ts';
import { errorShape, pageOf, purgeShape, requestShape } from '../../src/operator/shapes.ts';
import { uploadShape } from '../../src/operator/upload-shapes.ts';
import {
  ACCOUNT_KEY,
  MAIN,
  eventually,
  runCli,
  startBuiltGateway,
} from '../support/built-gateway.ts';
import { claim, grantFrom, post } from '../support/loop.ts';
import { gatewayForSuite } from '../support/suite.ts';
import { join } from 'node:path';

const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
};

/** Each test starts several processes. */
jest.setTimeout(30_000);

describe('the commands that use the operator API', () => {
  const gateway = gatewayForSuite((folder) =>
    startBuiltGateway(join(folder, 'data'), { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' }),
  );

  const store = async (): Promise<Awaited<ReturnType<typeof grantFrom>>> => {
    const grant = await grantFrom(gateway.url);
    await post(grant, Buffer.from('some bytes'));
    return grant;
  };

  const remote = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--endpoint', gateway.url], KEYS);
  const local = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--data-dir', gateway.dataDir], KEYS);

  it('ls and show ask a gateway when an endpoint is given', async () => {
    const { key } = await store();
    const [listed, shown, missing, refused, elsewhere] = await Promise.all([
      remote('ls', '--json', '--state', 'stored', '--match', key),
      remote('show', `${gateway.url}/${key}`),
      remote('show', 'nothing', '--json'),
      runCli(['ls', '--json', '--endpoint', gateway.url], {
        ...KEYS,
        OTA_GATEWAY_ACCESS_KEY_SECRET: 'wrong',
      }),
      runCli(['ls', '--json'], { ...KEYS, OTA_GATEWAY_ENDPOINT: 'http://127.0.0.1:2' }),
    ]);
    const { items } = pageOf(uploadShape).parse(JSON.parse(listed.stdout));
    expect(items).toMatchObject([{ key, state: 'stored', size: 10 }]);
    expect(shown.stdout).toMatch(/^State +stored$/m);
    expect(errorShape.parse(JSON.parse(missing.stderr)).error.code).toBe('NotFound');
    expect(errorShape.parse(JSON.parse(refused.stderr)).error).toMatchObject({
      code: 'SignatureDoesNotMatch',
      hint: expect.stringMatching(/^The secret belongs to another access key/) as string,
    });
    expect(errorShape.parse(JSON.parse(elsewhere.stderr)).error).toMatchObject({
      code: 'Unreachable',
      message: 'http://127.0.0.1:2 cannot be reached: nothing listens there',
    });
  });

  it('url and payload ask a gateway when an endpoint is given, and a list refuses a flag without effect', async () => {
    const grant = await store();
    const firmwareId = await claim(gateway.url, grant, 'linked');
    const { key: unclaimed } = await store();
    const [byName, byKey, wrong, message, late, none] = await Promise.all([
      remote('url', 'linked', '--json'),
      remote('url', grant.key),
      remote('ls', 'packages', '--state', 'stored'),
      remote('payload', grant.key, '--json'),
      remote('payload', 'linked', '--expires', '8d'),
      remote('payload', unclaimed),
    ]);
    const [link] = urlResult.parse(JSON.parse(byName.stdout)).urls;
    expect(link?.key).toBe(grant.key);
    const { data } = payloadResult.parse(JSON.parse(message.stdout));
    for (const url of [link?.url ?? '', byKey.stdout.trim(), data.url ?? '']) {
      expect(await (await fetch(url)).text()).toBe('some bytes');
    }
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^--state: does not restrict packages: expected one of --account/);
    expect(late).toMatchObject({ code: 2, stdout: '' });
    expect(late.stderr).toMatch(/^--expires: a gateway signs for at most 7d/);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/^there is no firmware package ota\S+\. Make one of the upload/);
    expect((await local('rm', firmwareId, unclaimed, '--yes')).code).toBe(0);
  });

  it('rm deletes uploads and packages after it was confirmed', async () => {
    const { key } = await store();
    const other = await store();
    const firmwareId = await claim(gateway.url, other, 'removed');
    const unconfirmed = await local('rm', key);
    expect(unconfirmed).toMatchObject({ code: 2, stdout: '' });
    expect(unconfirmed.stderr).toMatch(/^--yes: there is no terminal to ask/);
    const [held, unknown] = await Promise.all([
      local('rm', other.key, '--yes', '--json'),
      local('rm', key, 'nothing', '--yes'),
    ]);
    expect(held.code).toBe(1);
    expect(errorShape.parse(JSON.parse(held.stderr)).error.message).toContain(firmwareId);
    expect(unknown.stderr).toMatch(/^no upload, firmware package or request is called nothing/);

    const removed = await local('rm', key, 'removed', '--yes', '--json');
    expect(removeResult.parse(JSON.parse(removed.stdout)).deleted).toEqual([
      { kind: 'upload', key },
      { kind: 'package', firmwareId },
    ]);
    const packages = await local('ls', 'packages', '--json');
    expect(pageOf(packageShape).parse(JSON.parse(packages.stdout)).items).toEqual([]);
  });

  it('purge says what is due, and then purges it', async () => {
    const { key } = await store();
    await local('rm', key, '--yes');
    const due = await local('purge', '--dry-run', '--json');
    const report = purgeShape.parse(JSON.parse(due.stdout));
    expect(report).toMatchObject({ dryRun: true, failed: 0 });
    expect(report.purged).toBeGreaterThan(0);
    expect(await local('purge')).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`^purged ${String(report.purged)} uploads? with ${String(report.bytes)} B\n$`),
      ) as string,
      stderr: '',
    });
    expect((await local('show', key)).stdout).toMatch(/^State +purged$/m);
  });
});

const REQUEST: RequestShape = {
  at: '2026-11-26T16:21:42.398Z',
  requestId: '0F87FFBB2E0A838FA174F1E5',
  dialect: 'oss',
  operation: 'PostObject',
  code: 'OK',
  status: 200,
  key: 'ota/a.bin',
  from: 'issued',
  to: 'stored',
  bytesIn: 52_428_800,
  bytesOut: 0,
  ms: 612.3,
  peer: '203.0.113.9',
};
const REFUSED: RequestShape = {
  ...REQUEST,
  code: 'AccessDenied',
  status: 403,
  reason: 'condition_failed',
  key: 'ota/b.bin',
  ms: 4,
};

describe('trace', () => {
  let server: ReturnType<typeof createServer>;
  let url: string;
  const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const streams: ServerResponse[] = [];

  beforeAll(async () => {
    server = createServer(({ headers, url: target }, response) => {
      asked.push({ url: target, headers });
      streams.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const events = [REQUEST, REFUSED].map(
        (request, index) =>
          `id: ${String(index)}\nevent: request\ndata: ${JSON.stringify(request)}\n\n`,
      );
      response.write(`retry: 2000\n\n:\n\n${events.join('')}`);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Runs `trace` until its output has a text, then presses Ctrl+C. */
  const trace = async (until: string, ...args: string[]): Promise<string> => {
    const child = spawn(process.execPath, [MAIN, 'trace', '--endpoint', url, ...args], {
      env: { PATH: process.env['PATH'], ...KEYS },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    const closed = once(child, 'close');
    await eventually(() => output.includes(until));
    child.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
    return output;
  };

  it('prints each request in one line, as text or as JSON, and ends with 0 at Ctrl+C', async () => {
    const [text, json, errors] = await Promise.all([
      trace('AccessDenied'),
      trace('AccessDenied', '--json'),
      trace('AccessDenied', '--errors', '--key', 'b.bin'),
    ]);
    expect(text.split('\n')).toEqual([
      expect.stringMatching(
        /^\d\d:\d\d:42\.398 {2}200 {2}PostObject +203\.0\.113\.9 +612 ms +50\.0 MiB {2}ota\/a\.bin {2}issued -> stored$/,
      ),
      expect.stringMatching(
        /ota\/b\.bin {2}AccessDenied {2}condition_failed {2}0F87FFBB2E0A838FA174F1E5$/,
      ),
      '',
    ]);
    const lines = json.trimEnd().split('\n');
    expect(lines.map((line) => requestShape.parse(JSON.parse(line)))).toEqual([REQUEST, REFUSED]);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      url: '/_gateway/api/events?types=request',
      headers: {
        'x-acs-action': 'GET /_gateway/api/events',
        authorization: expect.stringMatching(/^ACS3-HMAC-SHA256 Credential=testid,/) as string,
      },
    });
  });

  it('fails when the gateway ends the stream', async () => {
    const before = streams.length;
    const running = runCli(['trace', '--endpoint', url, '--json'], KEYS);
    await eventually(() => streams.length > before);
    streams.at(-1)?.end();
    const { code, stderr } = await running;
    expect(code).toBe(1);
    expect(errorShape.parse(JSON.parse(stderr)).error.code).toBe('StreamEnded');
  });
});
