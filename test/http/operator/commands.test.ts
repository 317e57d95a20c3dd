import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gateway } from '../../../src/gateway.ts';
import { removeResult } from '../../../src/cli/shapes.ts';
import { errorShape, pageOf } from '../../../src/operator/shapes.ts';
import { uploadShape } from '../../../src/operator/upload-shapes.ts';
import { accountsText } from '../../support/accounts.ts';
import { ACCOUNT_KEY } from '../../support/built-gateway.ts';
import { claim, grantFrom, post } from '../../support/loop.ts';
import type { CommandResult } from '../../support/run-in-process.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { folderForSuite } from '../../support/suite.ts';
import { engineUnderTest } from '../../support/engine.ts';
import { createGateway } from '../../support/gateways.ts';

const NAME = '灯泡';
const folder = folderForSuite();
let gateway: Gateway;
let environment: NodeJS.ProcessEnv;
let url = '';
const keys = { claimed: '', stored: '', refused: '' };
let firmwareId = '';
let requestId = '';

beforeAll(async () => {
  const accountsFile = join(folder.path, 'accounts.json');
  const other = { id: 'other', accessKeys: [{ id: 'other-key', secret: 's' }] };
  const acme = { id: 'acme', operator: true, accessKeys: [ACCOUNT_KEY] };
  await writeFile(accountsFile, accountsText([acme, other]));
  gateway = await createGateway({ dataDir: folder.path, accountsFile, port: 0, qps: 'off' });
  environment = { ...process.env };
  Object.assign(process.env, await engineUnderTest().environment(folder.path));
  ({ url } = await gateway.listen());
  const [claimed, stored, refused] = [
    await grantFrom(url),
    await grantFrom(url),
    await grantFrom(url),
  ];
  Object.assign(keys, { claimed: claimed.key, stored: stored.key, refused: refused.key });
  for (let round = 0; round < 2; round += 1) {
    await post(stored, Buffer.from('stored'));
    if (round === 0) await local('rm', stored.key, '--yes');
  }
  await post(claimed, Buffer.from('claimed'));
  firmwareId = await claim(url, claimed, NAME);
  const { headers } = await post(refused, Buffer.from('x'), { key: 'elsewhere.bin' });
  requestId = String(headers['x-oss-request-id']);
});

afterAll(async () => {
  process.env = environment;
  await gateway.close();
});

function places(): string[] {
  return [`--data-dir=${folder.path}`, '--accounts-file', join(folder.path, 'accounts.json')];
}

function local(...words: string[]): Promise<CommandResult> {
  return runInProcess(...words, '--endpoint', url, ...keysOfAccount());
}

function keysOfAccount(): string[] {
  return ['--access-key-id', ACCOUNT_KEY.id, '--access-key-secret', ACCOUNT_KEY.secret];
}

/** @returns what may stand in place of the last word */
async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await runInProcess('__complete', '--', ...words);
  return stdout.split('\n').slice(0, -1);
}

describe('completion', () => {
  it.each([
    [['--'], ['--help', '--version']],
    [
      ['accounts', ''],
      ['ls', 'add', 'rotate', 'disable', 'enable', 'rm', 'help'],
    ],
    [
      ['accounts', 'r'],
      ['rotate', 'rm'],
    ],
    [['accounts', 'ls', '--j'], ['--json']],
    [
      ['ls', '--color=a'],
      ['--color=auto', '--color=always'],
    ],
    // As bash divides it.
    [['ls', '--color', '=', 'al'], ['always']],
    [
      ['ls', '--color', '='],
      ['auto', 'always', 'never'],
    ],
    [['explain', '--reason=condition_f'], ['--reason=condition_failed']],
    [
      ['serve', '--log-level', ''],
      ['debug', 'info', 'warn', 'error', 'silent'],
    ],
    [
      ['serve', '--fidelity', ''],
      ['lenient', 'strict'],
    ],
    [
      ['serve', '--qps', 'o'],
      ['on', 'off'],
    ],
    [
      ['serve', '--test-mode', ''],
      ['on', 'off'],
    ],
    [['serve', '--test-mode', '--log-l'], ['--log-level']],
    [['upload', ''], []],
  ])('of %j is %j', async (words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  it.each([
    ['disable', ['acme', 'testid', 'other', 'other-key']],
    ['rm', ['acme', 'testid', 'other', 'other-key']],
    ['rotate', ['testid', 'other-key']],
    ['add', ['acme', 'other']],
  ])('of accounts %s offers the ids that it takes', async (verb, expected) => {
    expect(await complete('accounts', verb, ...places(), '')).toEqual(expected);
    expect(await complete('accounts', verb, ...places(), expected[0] ?? '', '')).toEqual([]);
  });

  it('offers each key and package once, names in any script, and not what was typed before', async () => {
    const offered = await complete('rm', ...places(), '');
    expect(offered.toSorted()).toEqual([firmwareId, NAME, ...Object.values(keys)].toSorted());
    expect(await complete('rm', ...places(), NAME, '灯')).toEqual([]);
    expect(await complete('rm', ...places(), keys.stored, '')).not.toContain(keys.stored);
    expect(await complete('show', ...places(), '灯')).toEqual([NAME]);
    expect(await complete('show', ...places(), NAME, '')).toEqual([]);
  });

  it('offers refused requests and their keys to explain', async () => {
    expect(await complete('explain', ...places(), '')).toEqual([requestId, 'elsewhere.bin']);
  });
});

describe('ls', () => {
  const list = (...flags: string[]): Promise<CommandResult> =>
    runInProcess('ls', ...places(), ...flags);

  it('says of a part of a list that it is one, and how to see more, and goes on there', async () => {
    const [first, text] = [await list('--limit', '1', '--json'), await list('--limit', '1')];
    const page = pageOf(uploadShape).parse(JSON.parse(first.stdout));
    const cursor = page.next ?? '';
    expect(text.stderr).toBe(`1 listed; there are more: --limit N, --after ${cursor}\n`);
    const rest = await list('--after', cursor, '--json');
    const keysOfRest = pageOf(uploadShape).parse(JSON.parse(rest.stdout));
    expect(keysOfRest.items).toHaveLength(3);
    const remote = (await local('ls', '--after', cursor, '--json')).stdout;
    expect(pageOf(uploadShape).parse(JSON.parse(remote))).toEqual(keysOfRest);
    const wrong = await list('--after', 'a b');
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--after: expected the next of an earlier') as string,
    });
  });

  it('lists those that hold bytes by size or age, in a folder and through a gateway', async () => {
    for (const run of [list, (...flags: string[]) => local('ls', ...flags)]) {
      const listed = async (...flags: string[]) =>
        pageOf(uploadShape).parse(JSON.parse((await run(...flags, '--json')).stdout));
      const oldest = (await listed('--order', 'oldest')).items.map(({ key }) => key);
      expect(oldest.toSorted()).toEqual([keys.claimed, keys.stored].toSorted());
      const first = await listed('--order', 'largest', '--limit', '1');
      expect(first.items.map(({ key }) => key)).toEqual([keys.claimed]);
      const rest = await listed('--order', 'largest', '--after', first.next ?? '');
      expect(rest.items.map(({ key }) => key)).toEqual([keys.stored]);
    }
  });

  it.each([
    [['--order', 'large'], '--order: expected newest, largest or oldest, found "large"'],
    [
      ['--order', 'oldest', '--state', 'issued'],
      '--order: only uploads with the state stored or claimed have this order',
    ],
    [['refusals', '--order', 'oldest'], '--order: does not restrict refusals'],
  ])('refuses %j', async (flags, message) => {
    const refused = await list(...flags);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message) as string,
    });
  });

  it('says when no account of the name has anything to list', async () => {
    const [none, json] = [await list('--account', 'nosuch'), await list('--account=no', '--json')];
    expect(none).toEqual({
      code: 0,
      stdout: '',
      stderr: '0 uploads, 0 B on disk\nno account nosuch has uploads\n',
    });
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect((await list('packages', '--account', 'nosuch')).stderr).toBe(
      '0 packages\nno account nosuch has packages\n',
    );
  });
});

describe('rm', () => {
  it('says what it would delete, and that nothing was deleted', async () => {
    const [unasked, missing] = [await local('rm', NAME), await local('rm', NAME, 'no', '--yes')];
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toBe(
      `--yes: there is no terminal to ask on; this would delete the package ${NAME} 1.0.0 (1 file, 7 B), ${firmwareId}. Give --yes to delete without asking\n`,
    );
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(
      /^no upload, firmware package or request is called no; nothing was deleted\. /,
    );
  });

  it('names what it has deleted', async () => {
    const text = await local('rm', keys.stored, '--yes');
    expect(text.stdout).toBe(`deleted the upload ${keys.stored} (6 B)\n`);
    const json = await local('rm', NAME, '--yes', '--json');
    expect(removeResult.parse(JSON.parse(json.stdout)).deleted).toEqual([
      { kind: 'package', firmwareId },
    ]);
    const again = await local('rm', firmwareId, '--yes', '--json');
    expect(errorShape.parse(JSON.parse(again.stderr)).error.code).toBe('NotFound');
  });
});
