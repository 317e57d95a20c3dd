import { join } from 'node:path';
import type { Client } from 'pg';
import { z } from 'zod';
import { MIGRATIONS_DIR, findPending, readMigrations, requireCurrent } from '../migrations.ts';
import type { AppliedMigration } from '../migrations.ts';
import { withClient } from './connections.ts';
import type { PostgresAddress } from './connections.ts';

const DIRECTORY = join(MIGRATIONS_DIR, 'postgres');

/** Any number that no other lock of the gateways has. */
const LOCK = 7_214_907_236;

const appliedRows = z.array(
  z.object({ version: z.number(), checksum: z.string(), suits: z.number() }),
);

/**
 * Brings a database to the newest schema. When several gateways start together, one migrates, and the others wait and then
 * have nothing to do. Gateways of an older version may be running: a migration says which of them can go on.
 * @throws when the database is too new for these migrations, or a migration was changed after it was applied
 */
export async function migrate(
  address: Pick<PostgresAddress, 'url' | 'timeouts'>,
  directory: string = DIRECTORY,
): Promise<void> {
  const migrations = readMigrations(directory);
  await withClient(address, async (client) => {
    // One for all: when a statement fails, nothing is committed.
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(${String(LOCK)})`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, suits integer NOT NULL
       )`,
    );
    for (const migration of findPending(await readApplied(client), migrations)) {
      const { checksum, name, sql, suits, version } = migration;
      await client.query(sql);
      await client.query(
        'INSERT INTO schema_migrations (version, name, checksum, suits) VALUES ($1, $2, $3, $4)',
        [version, name, checksum, suits],
      );
    }
    await client.query('COMMIT');
  });
}

/**
 * Checks, without changing anything, that a database has the schema of these migrations, or one that suits them.
 * @throws when the schema is older or too new
 */
export async function requireCurrentSchema(
  address: Pick<PostgresAddress, 'url' | 'timeouts'>,
  directory: string = DIRECTORY,
): Promise<void> {
  await withClient(address, async (client) => {
    requireCurrent(await readApplied(client), readMigrations(directory));
  });
}

async function readApplied(client: Client): Promise<AppliedMigration[]> {
  const { rows: tables } = await client.query(
    `SELECT 1 FROM pg_catalog.pg_tables WHERE tablename = 'schema_migrations' AND schemaname = current_schema()`,
  );
  if (tables.length === 0) return [];
  const { rows } = await client.query('SELECT version, checksum, suits FROM schema_migrations');
  return appliedRows.parse(rows);
}
