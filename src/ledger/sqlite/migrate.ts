import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { MIGRATIONS_DIR, findPending, readMigrations, requireCurrent } from '../migrations.ts';
import type { AppliedMigration } from '../migrations.ts';

/** Read once, without compiling the schema. */
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
      for (const { checksum, name, sql, version } of findPending(
        readApplied(database),
        migrations,
      )) {
        database.exec(sql);
        database
          .prepare('INSERT INTO schema_migrations (version, name, checksum) VALUES (?, ?, ?)')
          .run(version, name, checksum);
      }
    })
    .immediate();
}

/**
 * Checks, without changing anything, that a database has the schema of these migrations.
 * @throws when the schema is older or newer
 */
export function requireCurrentSchema(database: Database, directory: string = MIGRATIONS_DIR): void {
  requireCurrent(readApplied(database), readMigrations(directory));
}

/** A data folder has one server, so that a migration suits no program that does not know it. */
function readApplied(database: Database): AppliedMigration[] {
  const table = database.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'`);
  if (table.get() === undefined) return [];
  const rows = database.prepare('SELECT version, checksum FROM schema_migrations').all();
  return appliedRows.parse(rows, { jitless: true }).map((row) => ({ ...row, suits: row.version }));
}
