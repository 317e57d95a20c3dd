import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';

/** The folder of the numbered SQL files; the path is the same from the sources and from the built files. */
const MIGRATIONS_DIR = join(__dirname, '..', '..', '..', 'migrations');

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
const appliedRows = z.array(z.object({ version: z.number(), checksum: z.string() }));

/**
 * Brings a database to the newest schema. When several processes start together, one migrates, and the others wait and
 * then have nothing to do.
 * @throws when the database is newer than these migrations, or a migration was changed after it was applied
 */
export function migrate(database: Database, directory: string = MIGRATIONS_DIR): void {
  const migrations = readMigrations(directory);
  database
    .transaction(() => {
      database.exec(
        `CREATE TABLE IF NOT EXISTS schema_migrations (
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
         ) STRICT`,
      );
      const applied = readApplied(database);
      refuseNewer(applied, migrations);
      for (const migration of migrations) applyOnce(database, migration, applied);
    })
    .immediate();
}

/**
 * Checks, without changing anything, that a database has the schema of these migrations.
 * @throws when the schema is older or newer
 */
export function requireCurrentSchema(database: Database, directory: string = MIGRATIONS_DIR): void {
  const migrations = readMigrations(directory);
  const applied = readApplied(database);
  refuseNewer(applied, migrations);
  const newestKnown = migrations.at(-1)?.version ?? 0;
  const newestApplied = Math.max(0, ...applied.keys());
  if (newestApplied === newestKnown) return;
  throw new Error(
    `the ledger has schema version ${String(newestApplied)}, this program needs ${String(newestKnown)}: use the ` +
      'version of its server, or start a gateway of this version, which migrates it',
  );
}

function readApplied(database: Database): ReadonlyMap<number, string> {
  const table = database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'`);
  if (table.get() === undefined) return new Map();
  const rows = database.prepare('SELECT version, checksum FROM schema_migrations').all();
  return new Map(appliedRows.parse(rows).map(({ version, checksum }) => [version, checksum]));
}

function readMigrations(directory: string): Migration[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const version = FILE_NAME.exec(name)?.[1];
      if (version === undefined) return [];
      const sql = readFileSync(join(directory, name), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      return [{ version: Number(version), name, sql, checksum }];
    })
    .sort((a, b) => a.version - b.version);
}

function refuseNewer(applied: ReadonlyMap<number, string>, migrations: readonly Migration[]): void {
  const newestKnown = migrations.at(-1)?.version ?? 0;
  const newestApplied = Math.max(0, ...applied.keys());
  if (newestApplied > newestKnown) {
    throw new Error(
      `the ledger has schema version ${String(newestApplied)}, this program knows up to ` +
        `${String(newestKnown)}: start a newer program, or restore an older backup`,
    );
  }
}

function applyOnce(
  database: Database,
  { version, name, sql, checksum }: Migration,
  applied: ReadonlyMap<number, string>,
): void {
  const known = applied.get(version);
  if (known === undefined) {
    database.exec(sql);
    database
      .prepare('INSERT INTO schema_migrations (version, name, checksum) VALUES (?, ?, ?)')
      .run(version, name, checksum);
  } else if (known !== checksum) {
    throw new Error(
      `migration ${name} was changed after it had been applied: expected SHA-256 ${known}, found ${checksum}`,
    );
  }
}
