import { Client } from 'pg';
import type { PostgresAddress } from '../../../src/ledger/postgres/connections.ts';
import { openPostgresRecords } from '../../../src/ledger/postgres/records.ts';
import { silentLogger } from '../../../src/lib/logger.ts';

/** @returns the server that the tests use */
export function postgresUrl(): string {
  const url = process.env['POSTGRES_URL'];
  if (url === undefined) throw new Error('POSTGRES_URL is not set: run npm run test:engines');
  return url;
}

/** Runs SQL on a connection of its own. */
export async function runSql(url: string, sql: string, values: unknown[] = []): Promise<object[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

let schemas = 0;

/** A new, empty schema, which a connection by its address uses for everything. */
export async function createSchema(): Promise<{ url: string; drop: () => Promise<void> }> {
  schemas += 1;
  const name = `test_${String(process.pid)}_${String(schemas)}_${String(process.hrtime.bigint())}`;
  await runSql(postgresUrl(), `CREATE SCHEMA ${name}`);
  const url = new URL(postgresUrl());
  url.searchParams.set('options', `-c search_path=${name}`);
  return {
    url: url.href,
    drop: async () => {
      await runSql(postgresUrl(), `DROP SCHEMA ${name} CASCADE`);
    },
  };
}

export type OpenRecords = Awaited<ReturnType<typeof openPostgresRecords>>;

/** How long a call may wait in a test whose machine is busy. */
const PATIENT = { connect: 30_000, statement: 30_000 };

/** Opens records, as one of several gateways does. */
export function openNode(
  url: string,
  { connections = 10, timeouts = PATIENT }: Partial<Omit<PostgresAddress, 'url'>> = {},
): Promise<OpenRecords> {
  return openPostgresRecords({ url, connections, timeouts }, silentLogger);
}

/** Returns when that much time has passed by the clock of the server. */
export async function passOnServer(milliseconds: number): Promise<void> {
  await runSql(postgresUrl(), 'SELECT pg_sleep($1)', [milliseconds / 1000]);
}
