import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { claimResult, signedForm, uploadResult } from '../../src/cli/shapes.ts';
import { errorShape } from '../../src/operator/shapes.ts';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { gatewayForSuite } from '../support/suite.ts';

const run = promisify(execFile);
const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
};

/** Each test starts several processes. */
jest.setTimeout(30_000);

/** Passes requests on to a port; the first form is cut off after its first bytes. */
async function startFailingProxy(): Promise<{
  url: string;
  target: { port: number };
  forms: number[];
  close: () => void;
}> {
  const target = { port: 0 };
  const forms: number[] = [];
  const server = createServer((request, response) => {
    forms.push(forms.length + 1);
    if (forms.length === 1) {
      request.once('data', () => request.destroy());
      return;
    }
    const { headers, method, url } = request;
    const forward = httpRequest({
      host: '127.0.0.1',
      port: target.port,
      method,
      path: url,
      headers,
    });
    forward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { url, target, forms, close: () => server.close() };
}

describe('the commands that bring files', () => {
  const gateway = gatewayForSuite();
  const files: Record<string, string> = {};
  const cli = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--data-dir', gateway.dataDir], KEYS);

  beforeAll(async () => {
    for (const name of ['app.bin', 'model.tar.gz', 'empty.bin']) {
      files[name] = join(gateway.folder, name);
      await writeFile(files[name], name === 'empty.bin' ? '' : patternBytes(5000));
    }
    await mkdir(join(gateway.folder, 'twin'));
    files['twin'] = join(gateway.folder, 'twin', 'app.bin');
    await writeFile(files['twin'], 'twin');
  });

  const paths = (...names: string[]): string[] => names.map((name) => files[name] ?? '');

  it('upload makes one package of several files, or with --each one of each', async () => {
    const both = paths('app.bin', 'model.tar.gz');
    const [one, each] = await Promise.all([
      cli('upload', ...both, '--name', 'one', '--version', '1', '--json'),
      cli('upload', ...both, '--name', 'each', '--version', '1', '--json', '--each'),
    ]);
    const { packages } = uploadResult.parse(JSON.parse(one.stdout));
    expect(packages).toMatchObject([{ name: 'one', version: '1', files: [{}, {}] }]);
    const made = packages.flatMap((each) => each.files);
    expect(made.map(({ name, key }) => [name, key.replace(/^.*?\./, '')])).toEqual([
      ['app.bin', 'bin'],
      ['model.tar.gz', 'tar.gz'],
    ]);
    for (const { downloadUrl } of made) {
      const body = Buffer.from(await (await fetch(downloadUrl)).arrayBuffer());
      expect(body.equals(patternBytes(5000))).toBe(true);
    }
    const names = uploadResult.parse(JSON.parse(each.stdout)).packages.map(({ name }) => name);
    expect(names).toEqual(['each-app', 'each-model']);

    const again = await cli('upload', ...both, '--name', 'one', '--version', '2');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(
      /^a firmware package named one exists already \(version 1, FirmwareId \w+\)\. .*Nothing was sent\n$/,
    );
  });

  it('upload refuses what the platform would refuse, before it sends a byte', async () => {
    const wrong: [string[], number, RegExp][] = [
      [
        ['app.bin', '--name', 'a.b', '--version', '1'],
        2,
        /^--name: expected 1 to 40.*, found a\.b/,
      ],
      [['app.bin', '--name', 'a', '--version', 'v 1'], 2, /^--version: expected .*, found "v 1"/],
      [['empty.bin', '--name', 'a', '--version', '1'], 1, /empty\.bin is empty: it has 0 bytes/],
      [['app.bin', 'twin', '--name', 'a', '--version', '1'], 1, /two files called app\.bin/],
      [['app.bin', 'twin', '--each', '--name', 'a', '--version', '1'], 1, /would be called a-app/],
    ];
    const results = await Promise.all(
      wrong.map(([args]) => cli('upload', ...args.map((arg) => files[arg] ?? arg))),
    );
    for (const [index, [, code, stderr]] of wrong.entries()) {
      expect(results[index]).toMatchObject({ code, stdout: '' });
      expect(results[index]?.stderr).toMatch(stderr);
    }
  });

  it('upload tries again with a new form when the connection breaks', async () => {
    const proxy = await startFailingProxy();
    const dataDir = join(gateway.folder, 'behind');
    const behind = await startBuiltGateway(dataDir, { OTA_GATEWAY_PUBLIC_URL: proxy.url });
    proxy.target.port = behind.port;
    const args = ['--name', 'again', '--version', '1', '--data-dir', dataDir];
    const { code, stderr } = await runCli(['upload', ...paths('app.bin'), ...args], KEYS);
    proxy.close();
    expect(stderr).toMatch(/^app\.bin: .* cannot be reached: .*; try 2 of 3, with a new form$/m);
    expect({ code, forms: proxy.forms }).toEqual({ code: 0, forms: [1, 2] });
    expect(await behind.stop()).toBe(0);
  });

  it('sign prints a form, and claim makes a package of what was posted with it', async () => {
    const signed = await cli('sign', '--suffix', 'zip');
    const form = signedForm.parse(JSON.parse(signed.stdout));
    expect(form.host).toBe(gateway.url);
    expect(Object.keys(form.fields)[0]).toBe('key');
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append('file', new Blob([patternBytes(10)]));
    expect((await fetch(form.host, { method: 'POST', body })).status).toBe(200);

    const claimed = await cli('claim', form.key, '--name', 'claimed', '--version', '1', '--json');
    const { firmwareId } = claimResult.parse(JSON.parse(claimed.stdout));
    expect(firmwareId).toMatch(/^\w{26}$/);
    const [twice, foreign] = await Promise.all([
      cli('claim', form.firmwareUrl, '--name', 'twice', '--version', '1', '--json'),
      runCli(
        ['claim', form.key, '--name', 'x', '--version', '1', '--endpoint', gateway.url, '--json'],
        {
          ...KEYS,
          OTA_GATEWAY_ACCESS_KEY_SECRET: 'wrong',
        },
      ),
    ]);
    expect(errorShape.parse(JSON.parse(twice.stderr)).error).toMatchObject({
      code: 'iot.firmware.InvalidFirmwareUrl',
      // The code is a member of its own.
      message: expect.not.stringContaining('iot.firmware') as string,
    });
    expect(errorShape.parse(JSON.parse(foreign.stderr)).error).toMatchObject({
      code: 'SignatureDoesNotMatch',
      hint: expect.stringMatching(/^The secret belongs to another access key/) as string,
    });
  });

  it('sign prints a command that uploads a file, to paste into a shell', async () => {
    const { stderr, stdout } = await cli('sign', '--curl', ...paths('app.bin'));
    await run('sh', ['-c', stdout]);
    const [, key = ''] = /claim (\S+) --name/.exec(stderr) ?? [];
    const claimed = await cli('claim', key, '--name', 'pasted', '--version', '1');
    expect(claimed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^FirmwareId/) as string,
    });
  });
});
