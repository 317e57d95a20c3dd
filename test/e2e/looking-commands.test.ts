import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { doctorResult } from '../../src/cli/shapes.ts';
import { packageShape } from '../../src/operator/package-shapes.ts';
import { errorShape, pageOf } from '../../src/operator/shapes.ts';
import { uploadHistoryShape, uploadShape } from '../../src/operator/upload-shapes.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import {
  BUCKET_KEY,
  MAIN,
  eventually,
  runCli,
  startBuiltGateway,
} from '../support/built-gateway.ts';
import { claim, grantFrom, post } from '../support/loop.ts';
import { describeWith } from '../support/programs.ts';
import { folderForSuite } from '../support/suite.ts';

const run = promisify(execFile);

/** Answers like another gateway behind a proxy that accepts no large bodies, and whose clock is wrong. */
async function startImpostor(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('Date', new Date(Date.now() - 3_700_000).toUTCString());
    response.statusCode = request.method === 'POST' ? 413 : 200;
    response.end(JSON.stringify({ status: 'ready', gatewayId: 'other' }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { url, close: () => server.close() };
}

/** Each test starts several processes. */
jest.setTimeout(30_000);

describe('the commands that look into a data folder', () => {
  const folder = folderForSuite();
  let gateway: BuiltGateway;
  const keys = { issued: '', stored: '', claimed: '' };
  let firmwareId = '';

  beforeAll(async () => {
    gateway = await startBuiltGateway(join(folder.path, 'data'), { OTA_GATEWAY_CLAIM_TTL: '30m' });
    const [claimed, stored, issued] = [
      await grantFrom(gateway.url),
      await grantFrom(gateway.url),
      await grantFrom(gateway.url),
    ];
    await post(claimed, Buffer.from('claimed'));
    await post(stored, Buffer.from('stored'));
    firmwareId = await claim(gateway.url, claimed, 'lamp');
    Object.assign(keys, { issued: issued.key, stored: stored.key, claimed: claimed.key });
  });

  afterAll(async () => {
    await gateway.kill();
  });

  const cli = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--data-dir', gateway.dataDir]);

  it('ls prints columns with whole keys in a pipe, the deadlines of the running gateway, and its summary beside them', async () => {
    const [uploads, colored, packages, none] = await Promise.all([
      cli('ls'),
      cli('ls', '--state', 'claimed', '--color', 'always'),
      cli('ls', 'packages'),
      cli('ls', '--state', 'purged'),
    ]);
    const lines = uploads.stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^STATE +KEY +SIZE +AGE +PURGED IN +PACKAGE +FROM$/),
      expect.stringMatching(new RegExp(`^issued +${keys.issued} +- +\\d+ s +- +form good for`)),
      expect.stringMatching(new RegExp(`^stored +${keys.stored} +6 B +\\d+ s +29 min +127.0.0.1$`)),
      expect.stringMatching(
        new RegExp(`^claimed +${keys.claimed} +7 B +\\d+ s +- +lamp 1.0.0 +127.0.0.1$`),
      ),
    ]);
    expect(uploads.stderr).toBe('3 uploads, 13 B on disk\n');
    expect(colored.stdout).toMatch(/^\u001b\[32mclaimed/m);
    expect(packages.stdout).toMatch(new RegExp(`^${firmwareId} +lamp +1\\.0\\.0 +1 +7 B`, 'm'));
    expect(none).toEqual({ code: 0, stdout: '', stderr: '0 uploads, 0 B on disk\n' });
  });

  it('ls prints JSON, restricts the list, and refuses what it cannot restrict by', async () => {
    const [stored, matched, wrong, unknown] = await Promise.all([
      cli('ls', '--json', '--state', 'stored', '--due', '2h', '--limit', '1'),
      cli('ls', 'packages', '--json', '--match', 'LAM'),
      cli('ls', '--json', '--older', 'soon'),
      cli('ls', 'nonsense', '--json'),
    ]);
    const page = pageOf(uploadShape).parse(JSON.parse(stored.stdout));
    expect(page.items.map(({ key }) => key)).toEqual([keys.stored]);
    const { items } = pageOf(packageShape).parse(JSON.parse(matched.stdout));
    expect(items.map((each) => each.firmwareId)).toEqual([firmwareId]);
    expect(wrong.code).toBe(2);
    expect(errorShape.parse(JSON.parse(wrong.stderr)).error.message).toMatch(
      /^--older: expected a/,
    );
    expect(unknown.code).toBe(2);
    expect(errorShape.parse(JSON.parse(unknown.stderr)).error.message).toMatch(/nonsense/);
  });

  it('ls --watch prints one object a line for what changes, and ends with 0 at Ctrl+C', async () => {
    const args = ['ls', '--watch', '--interval', '50ms', '--json', '--data-dir', gateway.dataDir];
    const watching = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'] },
    });
    let output = '';
    watching.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    const closed = once(watching, 'close');
    await eventually(() => output.split('\n').length > 3);
    const grant = await grantFrom(gateway.url);
    await eventually(() => output.includes(grant.key));
    watching.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => uploadShape.parse(JSON.parse(line)));
    expect(lines).toHaveLength(4);
  });

  it('show takes a key, a URL, a FirmwareId or a name alike', async () => {
    const [byKey, byUrl, byId, byName, none] = await Promise.all([
      cli('show', keys.stored),
      cli('show', `http://any.host/${keys.claimed}?Expires=1`, '--json'),
      cli('show', firmwareId, '--json'),
      cli('show', 'lamp'),
      cli('show', 'nothing', '--json'),
    ]);
    expect(byKey.stdout).toMatch(
      /^State +stored$[^]*^ {2}stored +\d{4}-[^]*\n {2}is purged .*unless/m,
    );
    const history = uploadHistoryShape.parse(JSON.parse(byUrl.stdout));
    expect(history).toMatchObject({ key: keys.claimed, package: { firmwareId } });
    expect(packageShape.parse(JSON.parse(byId.stdout))).toMatchObject({ name: 'lamp' });
    expect(byName.stdout).toMatch(
      new RegExp(`^Package +lamp 1\\.0\\.0\nFirmwareId +${firmwareId}$`, 'm'),
    );
    expect(none.code).toBe(1);
    expect(errorShape.parse(JSON.parse(none.stderr)).error.code).toBe('NotFound');
  });

  it('url takes the name of a package, and has the address of the running gateway', async () => {
    const { stdout } = await runCli(['url', 'lamp', '--data-dir', gateway.dataDir], {
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
    });
    expect(stdout).toContain(`${gateway.url}/${keys.claimed}?`);
  });

  it('end quietly when nobody reads their output', async () => {
    for (const args of [['ls'], ['show', 'lamp']]) {
      const command = spawn(process.execPath, [MAIN, ...args, '--data-dir', gateway.dataDir]);
      command.stdout.destroy();
      const [errors, [code]] = await Promise.all([text(command.stderr), once(command, 'exit')]);
      expect({ errors: errors.replace(/^\d uploads.*\n/, ''), code }).toEqual({
        errors: '',
        code: 0,
      });
    }
  });

  it('doctor finds nothing wrong with a fresh installation', async () => {
    const { code, stderr, stdout } = await cli('doctor', '--json');
    const { points } = doctorResult.parse(JSON.parse(stdout));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(points.map(({ level, name }) => `${level} ${name}`)).toEqual([
      ...['ok versions', 'ok environment', 'skip accounts file', 'skip certificate', 'ok port'],
      ...['ok data folder', 'ok permissions', expect.stringMatching(/^(?:ok|warn) disk$/)],
      ...[expect.stringMatching(/^(?:ok|warn) file system$/), 'ok ledger', 'ok lock'],
      ...['ok gateway', 'ok clock', 'skip public URL', 'skip proxy'],
    ]);
  });

  it('doctor names what is wrong, what to do, and ends with 3', async () => {
    const other = join(folder.path, 'other');
    await mkdir(other, { mode: 0o700 });
    const accounts = join(other, 'accounts.json');
    await writeFile(accounts, '[');
    await writeFile(join(other, 'credentials.json'), '{}');
    await chmod(join(other, 'credentials.json'), 0o644);
    const server = await startImpostor();
    const publicUrl = server.url;
    const written = { url: server.url, publicUrl, gatewayId: 'right', pid: process.pid };
    await writeFile(join(other, 'gateway.json'), JSON.stringify(written), { mode: 0o600 });
    const { code, stdout, stderr } = await runCli(['doctor', '--data-dir', other], {
      OTA_GATEWAY_PROT: '1',
      OTA_GATEWAY_ACCOUNTS_FILE: accounts,
    });
    server.close();
    expect(code).toBe(3);
    expect(stdout).toMatch(/^FAIL +environment +OTA_GATEWAY_PROT: there is no such setting\. /m);
    expect(stdout).toMatch(
      new RegExp(
        `^FAIL +permissions +${other}/credentials.json can be used by every user .* chmod`,
        'm',
      ),
    );
    expect(stdout).toMatch(/^FAIL +gateway +.* answered by another gateway than that of the data/m);
    expect(stdout).toMatch(/^FAIL +accounts file +.*accounts\.json:1: this is not JSON/m);
    expect(stdout).toMatch(/^warn +lock +free, but gateway\.json is left of process/m);
    expect(stdout).toMatch(
      /^FAIL +clock +61 min from the gateway .*: its calls are refused\. Set the/m,
    );
    expect(stdout).toMatch(/^FAIL +public URL +.* answered by another gateway \(ids differ\)/m);
    expect(stdout).toMatch(
      /^FAIL +proxy +.* refuses a form of 2\.0 MiB\. .*client_max_body_size 0$/m,
    );
    expect(stderr).toMatch(/^15 points: 7 wrong, \d warnings?\n$/);
  });

  it('look into the folder also while the server is stopped', async () => {
    expect(await gateway.stop()).toBe(0);
    const [listed, shown, examined] = await Promise.all([
      cli('ls'),
      cli('show', 'lamp'),
      cli('doctor'),
    ]);
    expect(listed.stdout).toContain(keys.claimed);
    expect(shown.stdout).toContain(firmwareId);
    expect(examined.stdout).toMatch(/^- +gateway +no gateway is running here$/m);
    expect(examined.code).toBe(0);
  });

  describeWith(['bash', 'zsh', 'fish'], 'completion in a real shell', () => {
    let bin: string;

    beforeAll(async () => {
      bin = join(folder.path, 'bin');
      await mkdir(bin);
      await chmod(MAIN, 0o755);
      await symlink(MAIN, join(bin, 'ota-gateway'));
    });

    /** Runs a script of a shell that has loaded the completion. */
    const shell = async (program: string, args: string[], script: string): Promise<string> => {
      const env = {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        OTA_GATEWAY_DATA_DIR: gateway.dataDir,
        TERM: 'dumb',
      };
      const { stdout } = await run(program, [...args, '-c', script], { env, cwd: folder.path });
      return stdout;
    };

    it('completes verbs, flags, choices and keys in bash, and evaluates nothing', async () => {
      const output = await shell(
        'bash',
        ['--norc'],
        `source <(ota-gateway completion bash) && source <(ota-gateway completion bash)
         try() { COMP_WORDS=(ota-gateway "$@"); COMP_CWORD=$#; _ota_gateway; echo "\${COMPREPLY[*]}"; }
         try up; try ls --sta; try ls --state ''; try completion z; try show ota/; try show lam
         try show '$(touch made)'; try ls '\`touch made\`'; try help do`,
      );
      const all = Object.values(keys);
      const [verbs, flags, states, shells, shown, named, ...others] = output.split('\n');
      expect({ verbs, flags, shells, named }).toEqual({
        ...{ verbs: 'upload', flags: '--state', shells: 'zsh', named: 'lamp' },
      });
      expect(states).toBe('issued stored claimed purging purged');
      expect(shown?.split(' ')).toEqual(expect.arrayContaining(all));
      expect(others).toEqual(['', '', 'doctor', '']);
      expect(existsSync(join(folder.path, 'made'))).toBe(false);
    });

    it('completes verbs, flags, choices and keys in fish, and evaluates nothing', async () => {
      const output = await shell(
        'fish',
        ['--no-config'],
        `ota-gateway completion fish | source
         function try; echo (complete -C "ota-gateway $argv"); end
         try up; try ls --sta; try ls --state ''; try completion z; try show ota/; try show lam
         try 'show $(touch made)'; try 'show (touch made)'; try 'ls \`touch made\`'; try help do`,
      );
      const [verbs, flags, states, shells, shown, named, ...others] = output.split('\n');
      expect({ verbs, flags, shells, named }).toEqual({
        ...{ verbs: 'upload', flags: '--state', shells: 'zsh', named: 'lamp' },
      });
      expect(states?.split(' ').toSorted()).toEqual(
        ['issued', 'stored', 'claimed', 'purging', 'purged'].toSorted(),
      );
      expect(shown?.split(' ')).toEqual(expect.arrayContaining(Object.values(keys)));
      expect(others.filter((line) => line !== '')).toEqual(['doctor']);
      expect(existsSync(join(folder.path, 'made'))).toBe(false);
    });

    it('completes in an interactive zsh, and evaluates nothing', async () => {
      const output = await shell(
        'zsh',
        ['-f'],
        `zmodload zsh/zpty; zpty z zsh -f -i
         until_line() { local part; while zpty -r z part; do print -rn -- "$part"; [[ $part == *$1* ]] && return; done; }
         zpty -w z 'autoload -Uz compinit && compinit -u -D; source <(ota-gateway completion zsh); print rea""dy'
         until_line ready
         zpty -w -n z $'ota-gateway compl\\t z\\t\\n'; until_line compdef
         zpty -w -n z $'ota-gateway show la\\t\\n'; until_line FirmwareId
         zpty -w -n z $'ota-gateway show $(touch made)\\t\\C-uprint fin""ish\\n'; until_line finish`,
      );
      expect(output).toMatch(/#compdef ota-gateway[^]*FirmwareId +\w{26}[^]*finish/);
      expect(existsSync(join(folder.path, 'made'))).toBe(false);
    });
  });
});
