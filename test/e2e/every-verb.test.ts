import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { z } from 'zod';
import {
  backupResult,
  claimResult,
  configResult,
  doctorResult,
  fsckResult,
  healthResult,
  payloadResult,
  removeResult,
  signedForm,
  uploadResult,
  urlResult,
} from '../../src/cli/shapes.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import {
  folderAccountsShape,
  changedAccountShape,
  newAccessKeyShape,
} from '../../src/operator/account-shapes.ts';
import { packageShape } from '../../src/operator/package-shapes.ts';
import { errorShape, pageOf, purgeShape, refusalShape } from '../../src/operator/shapes.ts';
import { uploadShape } from '../../src/operator/upload-shapes.ts';
import { startWithAccounts } from '../support/accounts.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { ACCOUNT_KEY, MAIN } from '../support/built-gateway.ts';
import { claim, grantFrom, post } from '../support/loop.ts';
import { folderForSuite } from '../support/suite.ts';

interface Row {
  /** Arguments of right use; `{folder}` is a temporary folder, `{stored}` the key of a stored upload. */
  readonly args?: readonly string[];
  /** `gateway`: needs a running one; `folder`: looks into the data folder; `nothing`: needs neither. */
  readonly needs: 'gateway' | 'folder' | 'nothing';
  /** Of its output with `--json`; absent when it has no JSON, or none that ends. */
  readonly json?: z.ZodType;
  /** Looks at a gateway elsewhere when it is given an endpoint, and at the data folder otherwise. */
  readonly looksElsewhere?: true;
}

const PACKAGE = ['--name', 'made', '--version', '1'];

/** Every command, in the order in which they are used on one gateway. */
const ROWS: Readonly<Record<string, Row>> = {
  serve: { needs: 'folder', args: ['--port', '0'] },
  'show-config': { needs: 'nothing', json: configResult },
  upload: { needs: 'gateway', json: uploadResult, args: [__filename, ...PACKAGE] },
  sign: { needs: 'gateway', json: signedForm },
  claim: {
    ...{ needs: 'gateway', json: claimResult },
    args: ['{stored}', '--name', 'claimed', '--version', '1'],
  },
  ls: { needs: 'folder', looksElsewhere: true, json: pageOf(uploadShape) },
  show: { needs: 'folder', looksElsewhere: true, json: packageShape, args: ['lamp'] },
  explain: { needs: 'folder', looksElsewhere: true, json: pageOf(refusalShape) },
  rm: { needs: 'gateway', json: removeResult, args: ['claimed', '--yes'] },
  purge: { needs: 'gateway', json: purgeShape },
  trace: { needs: 'gateway' },
  url: {
    ...{ needs: 'folder', looksElsewhere: true, json: urlResult },
    args: ['lamp', '--public-url', 'http://a.example'],
  },
  payload: {
    ...{ needs: 'folder', looksElsewhere: true, json: payloadResult },
    args: ['lamp', '--public-url', 'http://a.example'],
  },
  'accounts ls': { needs: 'folder', json: folderAccountsShape },
  'accounts add': { needs: 'nothing', json: newAccessKeyShape, args: ['globex', '--operator'] },
  'accounts rotate': { needs: 'nothing', json: newAccessKeyShape, args: ['second'] },
  'accounts disable': { needs: 'nothing', json: changedAccountShape, args: ['second'] },
  'accounts enable': { needs: 'nothing', json: changedAccountShape, args: ['second'] },
  'accounts rm': { needs: 'nothing', json: changedAccountShape, args: ['second', '--yes'] },
  fsck: { needs: 'folder', json: fsckResult },
  backup: { needs: 'folder', json: backupResult, args: ['{folder}/copy'] },
  // Its result needs engines: test/engines/export.test.ts.
  export: { needs: 'folder' },
  health: { needs: 'gateway', json: healthResult },
  doctor: { needs: 'folder', json: doctorResult },
  completion: { needs: 'nothing', args: ['bash'] },
};

const NAMES = Object.keys(ROWS);
const NOBODY = 65534;
const run = promisify(execFile);
/** Who runs commands. */
interface AsUser {
  readonly uid?: number;
  readonly environment?: Record<string, string>;
}

const results = z.array(z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }));
type Result = z.infer<typeof results>[number];

/** A stack trace, or an error of the system as it is. */
const BARE = /^ +at |^(?:"?Error: )?E[A-Z]{3,}: |SQLITE_\w+: |"message":"(?:E[A-Z]{3,}|SQLITE)/m;

/** What `doctor` says to a user who cannot read the data folder. */
const SEEN_BY_NOBODY = [
  /^skip port: not known: .* cannot be read by this user\. Run the command as the user/,
  /^fail data folder: .* cannot be read by this user$/,
  /^skip permissions: not known: this user cannot read the folder$/,
  /^skip disk: not known: this user cannot read the folder$/,
  /^skip file system: not known: this user cannot read the folder$/,
  /^skip ledger: not known: this user cannot read the folder$/,
  /^skip lock: not known: this user cannot read the folder$/,
  /^skip gateway: not known: /,
  /^skip clock: not known: /,
  /^skip public URL: not known: /,
].map((line) => expect.stringMatching(line) as string);

/** Each test starts some processes. */
jest.setTimeout(30_000);

describe('every command', () => {
  const folder = folderForSuite();
  let gateway: BuiltGateway;
  let stored = '';

  beforeAll(async () => {
    gateway = await startWithAccounts(folder.path, [
      { id: 'acme', operator: true, accessKeys: [ACCOUNT_KEY] },
      {
        id: 'second',
        accessKeys: [
          { id: 'second', secret: 's' },
          { id: 'third', secret: 's' },
        ],
      },
    ]);
    const [claimed, waiting] = [await grantFrom(gateway.url), await grantFrom(gateway.url)];
    await post(claimed, Buffer.from('claimed'));
    await post(waiting, Buffer.from('stored'));
    await claim(gateway.url, claimed, 'lamp');
    stored = waiting.key;
  });

  afterAll(() => gateway.kill());

  const environment = (): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    OTA_GATEWAY_ACCOUNTS_FILE: join(folder.path, 'accounts.json'),
    OTA_GATEWAY_OSS_ACCESS_KEY_ID: 'bucketid',
    OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: 'bucketsecret',
    OTA_GATEWAY_DATA_DIR: gateway.dataDir,
  });

  const rightUse = (name: string): string[] =>
    [...name.split(' '), ...(ROWS[name]?.args ?? [])].map((word) =>
      word.replace('{folder}', folder.path).replace('{stored}', stored),
    );

  const inJson = (name: string): string[] => [...rightUse(name), '--json'];

  /** Runs commands in one process. @returns the result of each by its name */
  const runVerbs = async (
    names: readonly string[],
    argsOf: (name: string) => readonly string[],
    { environment: env = environment(), ...user }: AsUser = {},
  ): Promise<ReadonlyMap<string, Result>> => {
    const task = JSON.stringify({ ...user, commands: names.map(argsOf) });
    const script = join(__dirname, '..', 'support', 'run-verbs.js');
    const { stdout } = await run(process.execPath, [script, task], { env });
    const found = results.parse(JSON.parse(stdout));
    return new Map(
      names.flatMap((name, index) => {
        const result = found[index];
        return result === undefined ? [] : [[name, result] as const];
      }),
    );
  };

  /** @returns the error that a command has printed with `--json` */
  const errorOf = ({ stderr }: Result): { code: string; message: string; hint?: string } => {
    expect(stderr).not.toMatch(BARE);
    return errorShape.parse(JSON.parse(stderr)).error;
  };

  it('has a row in this table', async () => {
    const names: string[] = [];
    for (const { hidden, load, usage } of VERBS) {
      if (hidden === true) continue;
      const command = new Command(usage.split(' ', 1)[0]);
      // Others may be groups of commands.
      if (!(command.name() in ROWS)) (await load()).configure(command);
      const own = command.commands.map((each) => `${command.name()} ${each.name()}`);
      names.push(...(own.length > 0 ? own : [command.name()]));
    }
    expect(NAMES.toSorted()).toEqual(names.toSorted());
  });

  it('prints with --json what its schema describes, and nothing beside it', async () => {
    const names = NAMES.filter((name) => ROWS[name]?.json !== undefined);
    const found = await runVerbs(names, inJson);
    for (const [name, { code, stderr, stdout }] of found) {
      expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      expect(ROWS[name]?.json?.safeParse(JSON.parse(stdout))).toMatchObject({ success: true });
      // Every command has the same layout.
      expect(stdout).toBe(`${JSON.stringify(JSON.parse(stdout), undefined, 2)}\n`);
    }
    for (const name of NAMES.filter((each) => /^accounts (?!ls)/.test(each))) {
      expect(found.get(name)?.stdout).toContain('"reload": "reloaded"');
    }
  });

  it('prints the same with --endpoint, without a data folder', async () => {
    const names = NAMES.filter((name) => ROWS[name]?.looksElsewhere === true);
    const found = await runVerbs(names, (name) => [...inJson(name), '--endpoint', gateway.url], {
      environment: {
        PATH: process.env['PATH'] ?? '',
        OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
        OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
        OTA_GATEWAY_DATA_DIR: join(folder.path, 'none'),
      },
    });
    expect(names).toHaveLength(5);
    for (const [name, { code, stderr, stdout }] of found) {
      expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      expect(ROWS[name]?.json?.safeParse(JSON.parse(stdout))).toMatchObject({ success: true });
    }
    // The gateway knows its address.
    for (const name of ['url', 'payload']) {
      expect(found.get(name)?.stdout).toContain(new URL(gateway.url).host);
    }
  });

  it('refuses a wrong flag with exit code 2, names it, and says what to do', async () => {
    const found = await runVerbs(NAMES, (name) => [...inJson(name), '--no-such']);
    for (const [name, result] of found) {
      const isJson = !['serve', 'completion'].includes(name);
      expect({ name, code: result.code, stdout: result.stdout }).toEqual({
        name,
        code: 2,
        stdout: '',
      });
      expect(errorOf(result)).toEqual({
        code: 'InvalidArguments',
        message: `unknown option '${isJson ? '--no-such' : '--json'}'`,
        hint: expect.stringContaining(`\`ota-gateway ${name} --help\``) as string,
      });
    }
  });

  it('names a flag that does not exist before it misses another one', async () => {
    const found = await runVerbs(NAMES, (name) => [...name.split(' '), '--no-such']);
    for (const [, { code, stderr }] of found) {
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/^unknown option '--no-such'\. /) as string,
      });
    }
  });

  it('says that a gateway must be started when it needs one, and looks into the folder otherwise', async () => {
    expect(await gateway.stop()).toBe(0);
    const names = NAMES.filter(
      (name) => !['serve', 'backup', 'export'].includes(name) && !/^accounts (?!ls)/.test(name),
    );
    const found = await runVerbs(names, (name) =>
      name === 'completion' ? rightUse(name) : inJson(name),
    );
    for (const [name, result] of found) {
      if (ROWS[name]?.needs === 'gateway') {
        expect({ name, code: result.code, stdout: result.stdout }).toEqual({
          name,
          code: 1,
          stdout: '',
        });
        expect(errorOf(result)).toMatchObject({
          code: 'NoGateway',
          hint: expect.stringContaining('`ota-gateway serve`') as string,
        });
      } else {
        expect({ name, code: result.code, stderr: result.stderr }).toEqual({
          name,
          code: 0,
          stderr: '',
        });
      }
    }
  });

  it('ends with the same exit code when the data folder does not exist', async () => {
    const names = NAMES.filter(
      (name) => ROWS[name]?.needs !== 'nothing' && !['serve', 'doctor'].includes(name),
    );
    const OTA_GATEWAY_DATA_DIR = join(folder.path, 'none');
    const found = await runVerbs(names, inJson, {
      environment: { PATH: process.env['PATH'] ?? '', OTA_GATEWAY_DATA_DIR },
    });
    for (const [name, result] of found) {
      const code = name === 'health' ? 1 : 2;
      expect({ name, code: result.code, stdout: result.stdout }).toEqual({
        ...{ name, code, stdout: '' },
      });
      expect(errorOf(result)).toEqual({
        code: 'InvalidSettings',
        message: expect.stringMatching(
          /^OTA_GATEWAY_DATA_DIR: .* does not exist: expected the data folder of a .*gateway\. (?:Give|Start) /,
        ) as string,
      });
    }
  });

  const LOOKING = ['sign', 'purge', 'trace', 'health', 'url', 'payload', 'ls', 'show', 'explain'];

  it('says whose the data folder is when it belongs to another user', async () => {
    const isRoot = process.getuid?.() === 0;
    // Who is not root is refused by the mode.
    if (!isRoot) await chmod(gateway.dataDir, 0);
    const names = NAMES.filter((name) => ROWS[name]?.needs !== 'nothing');
    const found = await runVerbs(
      names,
      (name) => (name === 'serve' ? rightUse(name) : inJson(name)),
      {
        ...(isRoot && { uid: NOBODY }),
        environment: {
          PATH: process.env['PATH'] ?? '',
          OTA_GATEWAY_ACCESS_KEY_ID: 'a',
          OTA_GATEWAY_ACCESS_KEY_SECRET: 'b',
          OTA_GATEWAY_DATA_DIR: gateway.dataDir,
        },
      },
    );
    await chmod(gateway.dataDir, 0o700);
    for (const [name, { code, stderr, stdout }] of found) {
      if (name === 'doctor') {
        const { points } = doctorResult.parse(JSON.parse(stdout));
        const told = points.map((point) => `${point.level} ${point.name}: ${point.text}`);
        expect({ code, told }).toMatchObject({
          code: 3,
          told: expect.arrayContaining(SEEN_BY_NOBODY) as string[],
        });
        expect(told.filter((line) => /^ok (?!versions|environment)/.test(line))).toEqual([]);
      } else {
        expect({ name, isDone: code === 0, stdout }).toEqual({ name, isDone: false, stdout: '' });
        // Docker reserves 2 in a check of health.
        if (name === 'health') expect(code).toBe(1);
        else if (LOOKING.includes(name)) expect({ name, code }).toEqual({ name, code: 2 });
        expect(stderr).not.toMatch(BARE);
        expect(stderr).toMatch(
          /cannot be (?:read by this user|used)[^]*(?:Run the command as|change its owner)/,
        );
      }
    }
  });

  const PRINTING = [
    'show-config',
    'ls',
    'show',
    'url',
    'payload',
    'accounts ls',
    'fsck',
    'doctor',
    'completion',
  ];

  it('ends quietly when the reader of its output has ended, and says when a disk is full', async () => {
    const full = await open('/dev/full', 'w');
    const env = environment();
    await Promise.all(
      PRINTING.map(async (name) => {
        const piped = spawn(process.execPath, [MAIN, ...rightUse(name)], { env });
        piped.stdout.destroy();
        const [quiet, [code]] = await Promise.all([text(piped.stderr), once(piped, 'exit')]);
        expect({ name, code }).toEqual({ name, code: 0 });
        expect(quiet).not.toMatch(/EPIPE|^ +at /m);
      }),
    );
    await Promise.all(
      PRINTING.map(async (name) => {
        const args = name === 'completion' ? rightUse(name) : inJson(name);
        const child = spawn(process.execPath, [MAIN, ...args], {
          env,
          stdio: ['ignore', full.fd, 'pipe'],
        });
        const stderr = child.stderr === null ? '' : await text(child.stderr);
        expect({ name, code: child.exitCode ?? (await once(child, 'exit'))[0] }).toEqual({
          name,
          code: 1,
        });
        expect(stderr).toContain('the output cannot be written: the disk is full (ENOSPC)');
        if (name !== 'completion') errorOf({ code: 1, stdout: '', stderr });
      }),
    );
    await full.close();
  });

  it.each([
    ['backup', '/proc/x', 1, /^\/proc\/x cannot be created: its file system takes no new folders/],
    ['backup', __filename, 1, /every-verb\.test\.ts is a file\. Give a folder/],
    ['backup', join(__filename, 'x'), 1, /cannot be created: a part of the path is a file\. /],
    ['accounts add new --accounts-file', '/proc/x', 1, /^\/proc\/x: .*its folder must exist/],
    ['accounts add new --accounts-file', __dirname, 2, /^--accounts-file: .* cannot be read /],
    ['accounts add new --accounts-file', join(__filename, 'x'), 1, /x: there is no such file or/],
  ])('%s says why it cannot write to %s', async (command, path, code, message) => {
    const [result] = (
      await runVerbs([command], (words) => [...words.split(' '), path, '--json'])
    ).values();
    if (result === undefined) throw new Error('no result');
    expect(result.code).toBe(code);
    expect(errorOf(result).message + (errorOf(result).hint ?? '')).toMatch(message);
  });

  it('does not tell a secret', async () => {
    const found = await runVerbs(['accounts ls', 'show-config'], inJson);
    const output = [...found.values()].map(({ stderr, stdout }) => stderr + stdout).join('');
    expect(output).not.toMatch(/testsecret|bucketsecret/);
    expect(await readFile(join(folder.path, 'accounts.json'), 'utf8')).toContain('testsecret');
  });
});
