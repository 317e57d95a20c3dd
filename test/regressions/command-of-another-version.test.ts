import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { parseConfig } from '../../src/config/config.ts';
import { backUpDataFolder } from '../../src/data-folder/backup.ts';
import { checkDataFolder } from '../../src/data-folder/check.ts';
import { openDataFolder } from '../../src/data-folder/open.ts';
import { createGateway } from '../../src/gateway.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { takeServerLock } from '../../src/object-store/disk/folder-lock.ts';
import { temporaryFolder } from '../support/built-gateway.ts';

// A command of a newer version migrated the ledger while an older server used it, and broke this server.

const check = {
  ...{ deep: false, repair: false, clock: wallClock },
  onFinding: () => undefined,
  onProgress: () => undefined,
};

async function openAs(dataDir: string): Promise<void> {
  await using folder = await openDataFolder(parseConfig({ dataDir }));
  await folder.findPackage('none');
}

const COMMANDS: readonly [string, (dataDir: string) => Promise<unknown>][] = [
  ['url or payload', openAs],
  ['fsck', (dataDir) => checkDataFolder(dataDir, check)],
  ['fsck --repair', (dataDir) => checkDataFolder(dataDir, { ...check, repair: true })],
  ['backup', (dataDir) => backUpDataFolder(dataDir, `${dataDir}-copy`)],
];

const NEWEST = 'SELECT max(version) FROM schema_migrations';

it.each([
  [
    'an older',
    `DELETE FROM schema_migrations WHERE version = (${NEWEST})`,
    /needs \d+: use the version of its server/,
  ],
  [
    'a newer',
    `INSERT INTO schema_migrations SELECT 9999, name, checksum FROM schema_migrations LIMIT 1`,
    /knows up to \d+: start a newer program/,
  ],
])(
  'refuses %s ledger in every command, and does not change it',
  async (_which, change, expected) => {
    const folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    await (await createGateway({ dataDir })).close();
    const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'));
    database.exec(change);
    const version: unknown = database.prepare(NEWEST).pluck().get();
    for (const [name, run] of COMMANDS) {
      const failure = await run(dataDir).then(
        () => `${name} succeeded`,
        (error: unknown) => String(error),
      );
      expect(failure).toMatch(expected);
    }
    expect(database.prepare(NEWEST).pluck().get()).toBe(version);
    // No command has kept the lock.
    takeServerLock(dataDir).release();
    database.close();
    await folder.remove();
  },
);
