import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { BuiltGateway } from '../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  MAIN,
  eventually,
  runCli,
  startBuiltGateway,
} from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import type { PrivateCa } from '../support/private-ca.ts';
import { createPrivateCa } from '../support/private-ca.ts';
import { describeWith } from '../support/programs.ts';
import { folderForSuite } from '../support/suite.ts';

const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
};

/** Starting a process takes a second on a busy machine. */
jest.setTimeout(30_000);

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
    [
      'an upload of a file that is not there',
      ['upload', '/none', '--name', 'n', '--version', '1'],
      {},
      1,
      /^\/none does not exist\. Check/,
    ],
    [
      'an upload of a folder',
      ['upload', __dirname, '--name', 'n', '--version', '1'],
      {},
      1,
      /is not a file\. Pack a folder into one file/,
    ],
    [
      'an upload without keys',
      ['upload', __filename, '--name', 'n', '--version', '1', '--data-dir', __dirname],
      {},
      2,
      /credentials\.json does not exist: no gateway has generated keys in this folder\. Give/,
    ],
    [
      'an upload to a port where nothing listens',
      ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', 'http://127.0.0.1:2'],
      KEYS,
      1,
      /^http:\/\/127\.0\.0\.1:2 cannot be reached: nothing listens there\. Start the gateway/,
    ],
    [
      'an upload to a host that does not exist',
      ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', 'http://no.invalid'],
      KEYS,
      1,
      /^http:\/\/no\.invalid cannot be reached: this machine does not know the host/,
    ],
    [
      'an upload to a port that fetch never uses',
      ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', 'http://127.0.0.1:1'],
      KEYS,
      1,
      /^http:\/\/127\.0\.0\.1:1 cannot be reached: `fetch` refuses to use port 1, as browsers do\. Let the gateway listen on another one/,
    ],
    [
      'a rule of CORS with a wrong member',
      ['show-config'],
      { OTA_GATEWAY_CORS_RULES: '[{"allowedOrigins":5}]' },
      2,
      /^OTA_GATEWAY_CORS_RULES: at \[0\]\.allowedOrigins: expected a list, found 5$/m,
    ],
    [
      'an upload with flags of the wrong form',
      ['upload', 'x', '--name', 'n', '--version', '1', '--endpoint', 'nowhere'],
      {},
      2,
      /^--endpoint: expected an http or https URL such as .*, found "nowhere"\. `ota-gateway upload --help` shows what it takes\n$/,
    ],
    [
      'a flag that does not exist instead of one that must be given',
      ['upload', 'x', '--nme', 'n'],
      {},
      2,
      /^unknown option '--nme'\. Did you mean --name\? `ota-gateway upload --help` shows/,
    ],
    [
      'a flag that does not exist before a wrong word',
      ['ls', '--color', 'pink', '--stat', 'stored'],
      {},
      2,
      /^unknown option '--stat'\. Did you mean --state\?/,
    ],
    [
      'a wrong word',
      ['ls', '--color', 'pink', '--state', 'gone'],
      {},
      2,
      /^--color: expected auto, always or never, found "pink"\n--state: expected issued, stored, claimed, purging or purged, found "gone"/m,
    ],
    [
      'settings that are given wrongly as flags and as variables',
      ['serve', '--port', 'abc', '--log-level', 'loud'],
      { OTA_GATEWAY_METRICS: 'maybe', OTA_GATEWAY_FIDELITY: 'exact' },
      2,
      /^OTA_GATEWAY_FIDELITY: expected lenient or strict, found "exact"$/m,
    ],
    [
      'settings that are given wrongly as flags',
      ['serve', '--port', 'abc', '--log-level', 'loud'],
      {},
      2,
      /^--port: expected a port from 0 to 65535, found "abc"\n--log-level: expected debug, info, warn, error or silent, found "loud"\n$/,
    ],
    [
      'an account with arguments that no account can have',
      [
        ...['accounts', 'add', 'bad id!', '--instance', 'a b', '--product', 'a-b=c'],
        ...['--accounts-file', '{folder}/accounts.json'],
      ],
      {},
      2,
      /^ACCOUNT: expected 1 to 128 letters, digits or \. _ @ -, found "bad id!"\n--instance: expected .*, found "a b"\n--product: expected .*, found "a-b"/,
    ],
    [
      'an account with one product twice',
      ['accounts', 'add', 'acme', '--product', 'a=b', 'a=c', '--accounts-file', '{folder}/a.json'],
      {},
      2,
      /^--product: expected each of them once\. /,
    ],
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
      /--tls-cert: \/none\.crt cannot be read .*\n--tls-key: \/none\.key cannot be read /,
    ],
    [
      'a certificate that is not PEM, and a data folder that is a file',
      ['serve', '--tls-cert', __filename, '--tls-key', __filename, '--data-dir', __filename],
      {},
      2,
      /^--tls-cert: .* has no certificate: .*\n--tls-key: .*\n--data-dir: .*\n$/,
    ],
    [
      'a host that is not an address of the machine',
      ['serve', '--host', '192.0.2.1', '--port', '0', '--data-dir', '{folder}/host'],
      {},
      2,
      /^--host: 192\.0\.2\.1 is not an address of this machine/m,
    ],
    [
      'a check of a folder that is not a data folder',
      ['fsck', '--data-dir', __dirname],
      {},
      2,
      /^--data-dir: .* is not the data folder of a gateway: it holds no ledger/,
    ],
    [
      'wrong settings, all at once',
      ['serve', '--port', '99999', '--claim-ttl', 'soon'],
      {},
      2,
      /--port: [^\n]*\n--claim-ttl: /,
    ],
  ])('answers %s with the documented exit code', async (_case, args, environment, code, stderr) => {
    const inFolder = args.map((arg) => arg.replace('{folder}', folder.path));
    const result = await runCli(inFolder, environment);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(stderr) as string });
  });

  it('tells a refused upload in words, and where its parts are', async () => {
    const gateway = await startBuiltGateway(join(folder.path, 'small'), {
      OTA_GATEWAY_MAX_UPLOAD: '1KiB',
    });
    const file = join(folder.path, 'large.bin');
    await writeFile(file, patternBytes(2000));
    const args = ['--name', 'demo', '--version', '1.0.0', '--endpoint', gateway.url];
    const { code, stderr } = await runCli(['upload', file, ...args], KEYS);
    expect(stderr).toMatch(/^the upload was refused with 400 EntityTooLarge: Your proposed/m);
    expect(stderr).toMatch(/^ {2}ProposedSize: 2000$/m);
    expect(stderr).toMatch(/^ {2}RequestId: [0-9A-F]{24}$/m);
    expect(stderr).not.toContain('<');
    expect(code).toBe(1);
    expect(await gateway.stop()).toBe(0);
  });

  describeWith(['openssl'], 'over TLS', () => {
    let gateway: BuiltGateway;
    let ca: PrivateCa;

    beforeAll(async () => {
      ca = createPrivateCa(folder.path);
      gateway = await startBuiltGateway(join(folder.path, 'tls'), {
        OTA_GATEWAY_TLS_CERT: ca.certFile,
        OTA_GATEWAY_TLS_KEY: ca.keyFile,
      });
    });

    afterAll(async () => {
      expect(await gateway.stop()).toBe(0);
    });

    const upload = async (url: string, environment = {}): Promise<string> => {
      const args = ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', url];
      return (await runCli(args, { ...KEYS, ...environment })).stderr;
    };

    it('says that the authority of a certificate is not known', async () => {
      expect(await upload(gateway.url)).toMatch(
        /its certificate is not signed by an authority that this machine trusts\. Set NODE_EXTRA_/,
      );
      expect(await upload(gateway.url, { NODE_EXTRA_CA_CERTS: ca.caFile })).toMatch(/100 %/);
    });

    it('says that a port speaks TLS', async () => {
      expect(await upload(gateway.url.replace('https:', 'http:'))).toMatch(
        /its port speaks TLS\. Give an address that begins with https:/,
      );
    });
  });

  it('says that a port does not speak TLS', async () => {
    const server = createHttpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `https://127.0.0.1:${String(port)}`;
    const args = ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', url];
    const { stderr } = await runCli(args, KEYS);
    server.close();
    expect(stderr).toMatch(/the port does not speak TLS\. Give an address that begins with http:/);
  });

  it('names the accounts file instead of keys that are not there, and the command as npx knows it', async () => {
    const accounts = join(folder.path, 'accounts.json');
    const keys = [{ id: 'a', secret: 'b' }];
    await writeFile(accounts, JSON.stringify({ accounts: [{ id: '1', accessKeys: keys }] }));
    const gateway = await startBuiltGateway(join(folder.path, 'accounts'), {
      OTA_GATEWAY_ACCESS_KEY_ID: '',
      OTA_GATEWAY_ACCESS_KEY_SECRET: '',
      OTA_GATEWAY_ACCOUNTS_FILE: accounts,
      // As npx sets it: the name of the command is not in the path then.
      npm_command: 'exec',
    });
    await eventually(() => gateway.output().includes('Try it'));
    expect(gateway.output()).toContain(':  npx ota-upload-gateway upload README.md');
    expect(gateway.output()).toContain(`The accounts are in ${accounts}`);
    expect(gateway.output()).toContain('--access-key-id ID --access-key-secret SECRET');
    expect(gateway.output()).not.toContain('The access keys are');
    expect(await gateway.stop()).toBe(0);
  });

  it('prints a command that can be pasted where it was started: with a file that exists there', async () => {
    const inFolder = ['sh', '-c', 'cd "$0" && exec "$@"', folder.path];
    const dataDir = join(folder.path, "the gateway's data");
    const gateway = await startBuiltGateway(dataDir, {}, 0, inFolder);
    await eventually(() => gateway.output().includes('Try it'));
    expect(gateway.output()).toContain(' upload FILE --name demo');
    expect(gateway.output()).toContain(` --data-dir '${dataDir.replace("'", "'\\''")}'\n`);
    expect(await gateway.stop()).toBe(0);
    await writeFile(join(folder.path, 'package.json'), '{}');
    const again = await startBuiltGateway(dataDir, {}, 0, inFolder);
    await eventually(() => again.output().includes('Try it'));
    expect(again.output()).toContain(' upload package.json --name demo');
    expect(await again.stop()).toBe(0);
  });

  it.each(['serve', 'show-config', 'upload', 'url', 'payload', 'fsck', 'backup'])(
    'shows examples in the help of %s, and no secret of the environment',
    async (verb) => {
      const { code, stdout } = await runCli([verb, '--help'], KEYS);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Examples:\\n.*ota-gateway ${verb}`));
      expect(stdout).not.toContain(ACCOUNT_KEY.secret);
      expect(await runCli(['help', verb], KEYS)).toEqual({ code, stdout, stderr: '' });
    },
  );

  it.each([['show-config'], ['serve', '--help'], ['nonsense', '--help']])(
    'ends quietly when nobody reads the output of %s',
    async (...args) => {
      const command = spawn(process.execPath, [MAIN, ...args]);
      command.stdout.destroy();
      const [errors, [code]] = await Promise.all([text(command.stderr), once(command, 'exit')]);
      expect({ errors, code }).toEqual({ errors: '', code: 0 });
    },
  );

  it('fails with the name of the setting when the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = ['serve', '--port', String(port), '--data-dir', join(folder.path, 'port')];
    const { code, stderr } = await runCli(args);
    server.close();
    expect(stderr).toMatch(/^--port: another process uses port \d+ of 127\.0\.0\.1\. Stop it/);
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
