import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { folderForSuite } from '../support/suite.ts';

describe('the command line', () => {
  const folder = folderForSuite();

  it('generates credentials at the first start, keeps them secret, and uploads with them', async () => {
    const dataDir = join(folder.path, 'fresh');
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_ACCESS_KEY_ID: '',
      OTA_GATEWAY_ACCESS_KEY_SECRET: '',
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: '',
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: '',
    });
    const credentials = join(dataDir, 'credentials.json');
    expect((await stat(credentials)).mode & 0o777).toBe(0o600);
    const kept = await readFile(credentials, 'utf8');
    expect(gateway.output()).toContain(`The access keys are in ${credentials}`);

    const file = join(folder.path, 'firmware.bin');
    await writeFile(file, patternBytes(3_000_000));
    const args = ['--endpoint', gateway.url, '--data-dir', dataDir];
    const done = await runCli(['upload', file, '--name', 'demo', '--version', '1.0.0', ...args]);
    expect(done).toMatchObject({ code: 0 });
    expect(done.stderr).toContain(
      'firmware.bin [##############################] 100 %  2.9 MiB of 2.9 MiB',
    );
    const [, url = ''] = /^Download {5}(\S+)$/m.exec(done.stdout) ?? [];
    const body = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(body.equals(patternBytes(3_000_000))).toBe(true);

    const again = await runCli(['upload', file, '--name', 'demo', '--version', '1.0.0', ...args]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('demo');
    expect(await gateway.stop()).toBe(0);
    expect(await readFile(credentials, 'utf8')).toBe(kept);
    for (const { secret } of Object.values(
      JSON.parse(kept) as Record<string, { secret: string }>,
    )) {
      expect(gateway.output() + done.stdout + done.stderr).not.toContain(secret);
    }
  });

  it.each([
    ['an unknown command', ['nonsense'], {}, 2, /unknown command 'nonsense'/],
    ['no command', [], {}, 2, /Usage: ota-gateway/],
    [
      'an upload without a name',
      ['upload', 'x'],
      {},
      2,
      /required option '--name <name>' not specified/,
    ],
    ['a missing file', ['upload', '/none', '--name', 'n', '--version', '1'], {}, 1, /ENOENT/],
    ['help', ['--help'], {}, 0, /^$/],
    [
      'an unknown variable',
      ['serve'],
      { OTA_GATEWAY_PROT: '1' },
      2,
      /^OTA_GATEWAY_PROT: there is no such setting$/m,
    ],
    [
      'a certificate that is not there',
      ['serve', '--tls-cert', '/none.crt', '--tls-key', '/none.key'],
      {},
      2,
      /OTA_GATEWAY_TLS_CERT: \/none\.crt cannot be read .*\nOTA_GATEWAY_TLS_KEY: \/none\.key cannot be read /,
    ],
    [
      'a certificate that is not PEM, and a data folder that is a file',
      ['serve', '--tls-cert', __filename, '--tls-key', __filename, '--data-dir', __filename],
      {},
      2,
      /^OTA_GATEWAY_TLS_CERT: .* has no certificate: .*\nOTA_GATEWAY_TLS_KEY: .*\nOTA_GATEWAY_DATA_DIR: .*\n$/,
    ],
    [
      'a host that is not an address of the machine',
      ['serve', '--host', '192.0.2.1', '--port', '0', '--data-dir', '{folder}/host'],
      {},
      2,
      /^OTA_GATEWAY_HOST: 192\.0\.2\.1 is not an address of this machine/m,
    ],
    [
      'a check of a folder that is not a data folder',
      ['fsck', '--data-dir', __dirname],
      {},
      2,
      /^OTA_GATEWAY_DATA_DIR: .* is not the data folder of a gateway: it holds no ledger/,
    ],
    [
      'wrong settings, all at once',
      ['serve', '--port', '99999', '--claim-ttl', 'soon'],
      {},
      2,
      /OTA_GATEWAY_PORT: [^\n]*\nOTA_GATEWAY_CLAIM_TTL: /,
    ],
  ])('answers %s with the documented exit code', async (_case, args, environment, code, stderr) => {
    const inFolder = args.map((arg) => arg.replace('{folder}', folder.path));
    const result = await runCli(inFolder, environment);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(stderr) as string });
  });

  it('fails with the name of the setting when the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = ['serve', '--port', String(port), '--data-dir', join(folder.path, 'port')];
    const { code, stderr } = await runCli(args);
    server.close();
    expect(stderr).toMatch(
      /^OTA_GATEWAY_PORT: another process uses port \d+ of 127\.0\.0\.1\. Stop it/,
    );
    expect(code).toBe(1);
  });

  it('shows the effective settings with secrets masked', async () => {
    const { code, stdout } = await runCli(['show-config', '--claim-ttl', '5m'], {
      OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
      OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
    });
    expect(code).toBe(0);
    expect(stdout).toContain('OTA_GATEWAY_CLAIM_TTL=300000\n');
    expect(stdout).toContain('OTA_GATEWAY_ACCESS_KEY_ID=testid\n');
    expect(stdout).toContain('OTA_GATEWAY_ACCESS_KEY_SECRET=********\n');
    expect(stdout).not.toContain(ACCOUNT_KEY.secret);
  });
});
