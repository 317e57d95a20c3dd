import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { createGateway } from '../../../src/gateway.ts';
import { MAIN, runCli, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { claim, download, grantFrom, post } from '../../support/loop.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { inspectData } from './inspect-data.ts';

jest.setTimeout(60_000);

const FILE = patternBytes(50_000);
const run = promisify(execFile);

const folder = folderForEachTest();
let dataDir: string;

beforeEach(() => {
  dataDir = join(folder.path, 'data');
});

const fsck = (...flags: string[]) => runCli(['fsck', '--data-dir', dataDir, ...flags]);
const backUp = (target: string) => runCli(['backup', target, '--data-dir', dataDir]);
const objects = (...names: string[]) => join(dataDir, 'objects', ...names);

async function stored(url: string, bytes = FILE): Promise<UploadGrant> {
  const grant = await grantFrom(url);
  expect(await post(grant, bytes)).toMatchObject({ status: 200 });
  return grant;
}

/** Fills a data folder with uploads, and stops its gateway. @returns the paths of the bodies */
async function someUploads(count: number): Promise<string[]> {
  const gateway = await startBuiltGateway(dataDir);
  for (let n = 0; n < count; n += 1) await stored(gateway.url);
  expect(await gateway.stop()).toBe(0);
  return [...(await inspectData(dataDir)).bodies.values()];
}

function changeLedger(sql: string, ...values: string[]): void {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'));
  database.prepare(sql).run(...values);
  database.close();
}

const lost = async (): Promise<string[]> => (await readdir(join(dataDir, 'lost'))).sort();

describe('ota-gateway fsck --repair', () => {
  it('keeps all of several files with the same name', async () => {
    const [body = ''] = await someUploads(1);
    const places = [objects(), dirname(body), objects('zz')];
    await mkdir(objects('zz'));
    for (const place of places) await writeFile(join(place, 'notes.txt'), place);
    await mkdir(join(dataDir, 'lost'));
    await writeFile(join(dataDir, 'lost', 'notes.txt'), 'of old');
    const { code, stdout } = await fsck('--repair');
    expect({ code, findings: stdout.match(/moved to lost\/notes\.txt\.\d/g)?.length }).toEqual({
      code: 0,
      findings: 3,
    });
    const names = await lost();
    expect(names).toEqual(['notes.txt', 'notes.txt.2', 'notes.txt.3', 'notes.txt.4']);
    const contents = await Promise.all(
      names.map((name) => readFile(join(dataDir, 'lost', name), 'utf8')),
    );
    expect(contents.sort()).toEqual(['of old', ...places].sort());
    expect((await fsck()).code).toBe(0);
  });

  it('moves entries that are not files, and follows no link out of the data folder', async () => {
    const bodies = await someUploads(5);
    const [asFolder = '', asLink = '', asPipe = '', asSocket = '', inLink = ''] = bodies;
    const outside = join(folder.path, 'outside');
    await mkdir(outside);
    for (const path of [asFolder, asPipe, asSocket]) await unlink(path);
    await mkdir(asFolder);
    await writeFile(join(asFolder, 'inside'), 'x');
    await rename(asLink, join(outside, 'body'));
    await symlink(join(outside, 'body'), asLink);
    await run('mkfifo', [asPipe]);
    // The path of a socket must be short.
    const server = createServer().listen(relative(process.cwd(), asSocket));
    await once(server, 'listening');
    await rename(dirname(inLink), join(outside, 'folder'));
    await symlink(join(outside, 'folder'), dirname(inLink));
    await mkdir(join(dataDir, 'lost', basename(asFolder)), { recursive: true });

    const found = await fsck('--deep');
    expect(found.code).toBe(3);
    for (const path of [asFolder, asLink, asPipe, asSocket]) {
      expect(found.stdout).toMatch(
        new RegExp(`^bytesMissing: .*${basename(path)}.* no bytes$`, 'm'),
      );
      expect(found.stdout).toContain(`strayFile: ${relative(dataDir, path)} is not a body`);
    }
    expect(found.stdout).toMatch(new RegExp(`^bytesMissing: .*${basename(inLink)}.*`, 'm'));
    expect(found.stdout).toContain(
      `strayFile: ${relative(dataDir, dirname(inLink))} is not a body`,
    );

    expect(await fsck('--deep', '--repair')).toMatchObject({ code: 0, stderr: expect.any(String) });
    expect(await lost()).toHaveLength(6);
    expect(await readdir(join(dataDir, 'lost', `${basename(asFolder)}.2`))).toEqual(['inside']);
    expect((await lstat(join(dataDir, 'lost', basename(asLink)))).isSymbolicLink()).toBe(true);
    expect((await readdir(outside)).sort()).toEqual(['body', 'folder']);
    expect((await fsck()).stdout).toContain(' 0 findings, 0 left');
    server.close();
  });

  it('continues when an entry cannot be moved, and reports it', async () => {
    await someUploads(1);
    await writeFile(objects('a.txt'), 'a');
    await writeFile(objects('b.txt'), 'b');
    await symlink(folder.path, join(dataDir, 'lost'));
    const { code, stdout } = await fsck('--repair');
    expect(code).toBe(3);
    expect(stdout.match(/^strayFile: .* could not be moved: /gm)).toHaveLength(2);
    expect(stdout).toMatch(/, 2 findings, 2 left\n$/);
    expect(existsSync(objects('a.txt'))).toBe(true);
  });
});

describe('a name that a client has chosen', () => {
  const KEY = 'a\n0 uploads with 0 bytes, 0 waiting, 0 findings, 0 left\n\u001b[2J\u009b1m\u202eb';

  it('cannot forge a line of a command', async () => {
    const [body = ''] = await someUploads(1);
    changeLedger('UPDATE uploads SET key = ?', KEY);
    await writeFile(objects('x\ny\u001b'), 'x');
    await unlink(body);
    const commands = [
      await fsck(),
      await backUp(join(folder.path, 'copy')),
      await runCli(['url', 'no\nkey\u001b', '--data-dir', dataDir]),
      await runCli(['payload', 'no\nid\u001b', '--data-dir', dataDir]),
    ];
    expect(commands.map(({ code }) => code)).toEqual([3, 3, 1, 1]);
    for (const { stdout, stderr } of commands) {
      expect(stdout + stderr).not.toMatch(/^0 uploads/m);
      expect(stdout + stderr).not.toMatch(/[^\n\x20-\x7e]/);
    }
    const [checked, copied] = commands;
    expect(checked?.stdout.split('\n')).toHaveLength(4);
    expect(checked?.stdout).toContain('"a\\n0 uploads with');
    expect(copied?.stdout).toContain('\\u009b1m\\u202eb" has no bytes');
  });

  it('cannot forge a line about damage in the ledger', async () => {
    await someUploads(1);
    changeLedger(`UPDATE uploads SET key = ?, state = 'claimed', package_id = 'p\n\u001b'`, KEY);
    const { code, stdout } = await fsck();
    expect(code).toBe(3);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).not.toMatch(/[^\n\x20-\x7e]/);
  });
});

describe('after a power cut, before a start', () => {
  it('backup fails, fsck reports what the next start restores, and then both succeed', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const grants = [await stored(gateway.url), await stored(gateway.url)];
    await gateway.kill();
    for (const path of (await inspectData(dataDir)).bodies.values()) await truncate(path, 0);

    const target = join(folder.path, 'copy');
    const refused = await backUp(target);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('start the gateway, or run fsck --repair, before the backup');
    expect(await readdir(folder.path)).toEqual(['data']);
    const checked = await fsck('--deep');
    expect(checked.code).toBe(0);
    expect(checked.stdout).toMatch(
      / 0 findings, 0 left, 1 journal for the next start, which restores 2 uploads\n$/,
    );

    expect((await fsck('--repair')).code).toBe(0);
    expect(await backUp(target)).toMatchObject({ code: 0 });
    const restored = await startBuiltGateway(target);
    for (const [n, grant] of grants.entries()) {
      const id = await claim(restored.url, grant, `fw-${String(n)}`);
      expect((await download(restored.url, id)).equals(FILE)).toBe(true);
    }
    await restored.stop();
  });

  it('backup copies complete files while a running server has them in its journals', async () => {
    const gateway = await startBuiltGateway(dataDir);
    for (let n = 0; n < 3; n += 1) await stored(gateway.url);
    expect((await readdir(join(dataDir, 'journal'))).length).toBeGreaterThan(0);
    const target = join(folder.path, 'copy');
    expect(await backUp(target)).toMatchObject({ code: 0 });
    const copied = await readdir(join(target, 'objects'), { recursive: true, withFileTypes: true });
    const files = copied.filter((entry) => entry.isFile());
    expect(files).toHaveLength(3);
    for (const { name, parentPath } of files) {
      expect((await readFile(join(parentPath, name))).equals(FILE)).toBe(true);
    }
    expect((await fsck()).stdout).toMatch(/0 findings, 0 left\n$/);
    await gateway.stop();
  });
});

describe('ota-gateway backup', () => {
  it('reports damage, and files whose bytes differ from those that were stored', async () => {
    const [short = '', gone = '', link = ''] = await someUploads(3);
    await truncate(short, 0);
    await unlink(gone);
    await rename(link, join(folder.path, 'elsewhere'));
    await symlink(join(folder.path, 'elsewhere'), link);
    changeLedger(
      `UPDATE uploads SET state = 'claimed', package_id = 'p' WHERE locator = ?`,
      basename(short),
    );
    await writeFile(join(dataDir, 'credentials.json'), '');
    const target = join(folder.path, 'copy');
    const { code, stdout } = await backUp(target);
    expect(code).toBe(3);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.endsWith(' has no bytes; run fsck'))).toHaveLength(2);
    expect(stdout).toMatch(/^ota\S+ has different bytes than were stored; run fsck$/m);
    expect(stdout).toMatch(/^ledger damage: the upload \S+ is claimed by the package p, which/m);
    expect(stdout).toMatch(/credentials\.json does not hold credentials; run fsck$/m);
    expect((await lstat(join(target, 'credentials.json'))).mode & 0o777).toBe(0o600);
  });

  describe('that takes long', () => {
    const UPLOADS = 400;
    const target = (): string => join(folder.path, 'made', 'copy');
    const unfinished = (): string => `${target()}.unfinished`;

    beforeEach(async () => {
      await using gateway = await createGateway({ dataDir });
      const deposits = Array.from({ length: UPLOADS }, async (_, n) => {
        const bytes = (async function* () {
          yield await Promise.resolve(Buffer.from(`file ${String(n)}`));
        })();
        await gateway.uploads.deposit({ bytes });
      });
      await Promise.all(deposits);
    });

    /** Starts a backup, and stops it halfway. */
    async function halfway(): Promise<ReturnType<typeof spawn>> {
      const child = spawn(process.execPath, [MAIN, 'backup', target(), '--data-dir', dataDir], {
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      for (let tries = 0; !existsSync(join(unfinished(), 'objects')); tries += 1) {
        if (tries > 20_000 || child.exitCode !== null) throw new Error('it was too fast');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      child.kill('SIGSTOP');
      expect(existsSync(target())).toBe(false);
      return child;
    }

    async function end(child: ReturnType<typeof spawn>, signal: NodeJS.Signals): Promise<void> {
      const exited = once(child, 'exit');
      child.kill(signal);
      child.kill('SIGCONT');
      await exited;
    }

    it('leaves nothing when it is stopped, and removes what a killed backup has left', async () => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        const stopped = await halfway();
        await end(stopped, signal);
        expect({ signal, code: stopped.exitCode }).toEqual({ signal, code: 1 });
        expect(await readdir(dirname(target()))).toEqual([]);
      }

      await end(await halfway(), 'SIGKILL');
      expect(await readdir(dirname(target()))).toEqual([basename(unfinished())]);
      // Half of a ledger.
      await writeFile(join(unfinished(), 'gateway.sqlite3'), 'half');
      expect(await backUp(target())).toMatchObject({ code: 0 });
      expect(await readdir(dirname(target()))).toEqual([basename(target())]);
      expect((await readdir(target())).sort()).toEqual([
        'credentials.json',
        'gateway.sqlite3',
        'objects',
      ]);
      const checked = await runCli(['fsck', '--deep', '--data-dir', target()]);
      expect(checked.stdout).toMatch(/^400 uploads .* 0 findings/);
    });

    it('is not disturbed by another backup to the same target', async () => {
      const first = await halfway();
      const second = await backUp(target());
      expect(second).toMatchObject({
        code: 1,
        stderr: `another backup to ${target()} is running\n`,
      });
      const exited = once(first, 'exit');
      first.kill('SIGCONT');
      await exited;
      expect(first.exitCode).toBe(0);
      const checked = await runCli(['fsck', '--deep', '--data-dir', target()]);
      expect(checked.stdout).toMatch(/^400 uploads .* 0 findings/);
    });
  });

  it('does not use an unfinished folder of another user', async () => {
    await someUploads(1);
    const target = join(folder.path, 'copy');
    const trap = join(folder.path, 'trap');
    await mkdir(trap);
    await symlink(trap, `${target}.unfinished`);
    const { code, stderr } = await backUp(target);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `${target}.unfinished exists and cannot be used: remove it\n`,
    });
    expect(await readdir(trap)).toEqual([]);
  });
});
