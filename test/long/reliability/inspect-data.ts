import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { z } from 'zod';
import { md5Hex } from '../../support/bytes.ts';

const uploadRow = z.object({
  key: z.string(),
  state: z.enum(['issued', 'stored', 'claimed', 'purging', 'purged']),
  locator: z.string().nullable(),
  size: z.number().nullable(),
  md5: z.string().nullable(),
  stored_at: z.number().nullable(),
  package_id: z.string().nullable(),
  purge_reason: z.string().nullable(),
  purging_since: z.number().nullable(),
});

/** The row of an upload. */
export type UploadRow = z.infer<typeof uploadRow>;

/** The content of a data folder: all rows, and the bodies on disk by locator. */
export interface DataContent {
  readonly rows: readonly UploadRow[];
  /** Ids of firmware packages. */
  readonly packages: ReadonlySet<string>;
  /** The bodies before the rows were read: locator -> path. Includes the body of every row. */
  readonly bodies: ReadonlyMap<string, string>;
  /** The locators of the bodies after the rows were read: a body without a row may have been purged just before. */
  readonly remaining: ReadonlySet<string>;
  readonly staging: readonly string[];
}

/** Reads a data folder directly; its server may be running. */
export async function inspectData(dataDir: string): Promise<DataContent> {
  const bodies = await listBodies(dataDir);
  const { rows, packages } = readLedger(dataDir);
  return {
    rows,
    packages,
    bodies,
    remaining: new Set((await listBodies(dataDir)).keys()),
    staging: await readdir(join(dataDir, 'staging')),
  };
}

function readLedger(dataDir: string): Pick<DataContent, 'rows' | 'packages'> {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
  try {
    const rows = z.array(uploadRow).parse(database.prepare('SELECT * FROM uploads').all());
    const ids = database.prepare('SELECT id FROM firmware_packages').pluck().all();
    return { rows, packages: new Set(z.array(z.string()).parse(ids)) };
  } finally {
    database.close();
  }
}

async function listBodies(dataDir: string): Promise<Map<string, string>> {
  const names = await readdir(join(dataDir, 'objects'), { recursive: true });
  return new Map(
    names.flatMap((name) => {
      const [, locator] = name.split('/');
      return locator === undefined ? [] : [[locator, join(dataDir, 'objects', name)] as const];
    }),
  );
}

/**
 * Compares ledger and disk while nothing is in progress: finds bodies without a row, rows without their bytes, and
 * anything in `staging/`.
 * @returns one line for each problem
 */
export async function findProblems({
  rows,
  bodies,
  remaining,
  staging,
}: DataContent): Promise<string[]> {
  const problems = staging.map((name) => `${name} is left in staging/`);
  const held = new Set(rows.flatMap(({ locator, state }) => (state === 'purged' ? [] : [locator])));
  for (const locator of bodies.keys()) {
    if (remaining.has(locator) && !held.has(locator))
      problems.push(`the body ${locator} has no row`);
  }
  for (const row of rows) {
    if (row.state !== 'stored' && row.state !== 'claimed') continue;
    const path = bodies.get(row.locator ?? '');
    if (path === undefined) {
      problems.push(`${row.key} is ${row.state} without bytes`);
      continue;
    }
    const bytes = await readFile(path).catch(() => undefined);
    // It may have been purged after the rows were read.
    if (bytes === undefined) continue;
    if (bytes.length !== row.size || md5Hex(bytes) !== row.md5) {
      problems.push(`${row.key} is ${row.state}, and its bytes are not what the ledger says`);
    }
  }
  return problems;
}
