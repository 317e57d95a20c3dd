import { chmod, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backUpDataFolder } from '../../src/data-folder/backup.ts';
import { checkDataFolder } from '../../src/data-folder/check.ts';
import { createGateway } from '../../src/gateway.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { bodiesOnDisk, eventually } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { folderForEachTest } from '../support/suite.ts';

const folder = folderForEachTest();

/** The mode that other accounts of the machine have no part in. */
const privateMode = (isFolder: boolean): string => (isFolder ? '700' : '600');

async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o777).toString(8);
}

interface Listing {
  /** Modes and names of what is not private. */
  readonly open: string[];
  readonly names: string[];
}

async function list(path: string): Promise<Listing> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const open: string[] = [];
  for (const entry of entries) {
    const mode = await modeOf(join(entry.parentPath, entry.name));
    if (mode !== privateMode(entry.isDirectory())) open.push(`${mode} ${entry.name}`);
  }
  return { open, names: entries.map(({ name }) => name) };
}

async function* bytesOf(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body);
}

it('creates every file and folder of a data folder and of a backup for its owner only', async () => {
  const dataDir = join(folder.path, 'data');
  const gateway = await createGateway({ dataDir });
  for (const size of [1000, 2_000_000]) {
    await gateway.uploads.deposit({ bytes: bytesOf(patternBytes(size)) });
  }
  let during: Listing | undefined;
  await gateway.uploads.deposit({
    bytes: (async function* () {
      yield patternBytes(2_000_000);
      await eventually(async () => (await bodiesOnDisk(dataDir)).staging.length === 1);
      during = await list(dataDir);
      yield patternBytes(1);
    })(),
  });
  expect(during?.open).toEqual([]);
  for (const name of [
    'gateway.sqlite3-wal',
    'gateway.sqlite3-shm',
    'gateway.reserve',
    'server.lock',
  ])
    expect(during?.names).toContain(name);
  expect(await modeOf(dataDir)).toBe('700');

  const target = join(folder.path, 'backup');
  await backUpDataFolder(dataDir, target);
  expect((await list(target)).open).toEqual([]);
  expect(await modeOf(target)).toBe('700');

  await gateway.close();
  await writeFile(join(dataDir, 'objects', 'stray'), '', { mode: 0o600 });
  const hooks = { onFinding: () => undefined, onProgress: () => undefined };
  await checkDataFolder(dataDir, { deep: false, repair: true, clock: wallClock, ...hooks });
  const repaired = await list(dataDir);
  expect(repaired.open).toEqual([]);
  expect(repaired.names).toContain('lost');
});

it('closes what an older version has created, but not what belongs to a group', async () => {
  const dataDir = join(folder.path, 'data');
  await (await createGateway({ dataDir })).close();
  await chmod(dataDir, 0o755);
  await chmod(join(dataDir, 'objects'), 0o755);
  await chmod(join(dataDir, 'staging'), 0o750);
  await chmod(join(dataDir, 'gateway.sqlite3'), 0o644);
  await chmod(join(dataDir, 'gateway.reserve'), 0o644);
  await mkdir(join(folder.path, 'elsewhere'), { mode: 0o755 });
  await symlink(join(folder.path, 'elsewhere'), join(dataDir, 'lost'));
  await writeFile(join(dataDir, 'notes.txt'), '', { mode: 0o644 });

  await using gateway = await createGateway({ dataDir });
  expect(gateway.credentialsFile).toBeDefined();
  const modes = [
    ['objects', '700'],
    ['staging', '750'],
    ['gateway.sqlite3', '600'],
    ['gateway.sqlite3-wal', '600'],
    ['gateway.reserve', '600'],
    // What the operator has created.
    ['.', '755'],
    ['notes.txt', '644'],
    ['../elsewhere', '755'],
  ] as const;
  for (const [name, mode] of modes) {
    expect([name, await modeOf(join(dataDir, name))]).toEqual([name, mode]);
  }
});
