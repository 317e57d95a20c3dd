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

/** What a gateway keeps: all rows, and the bodies by locator. */
export interface DataContent {
  readonly rows: readonly UploadRow[];
  /** Ids of firmware packages. */
  readonly packages: ReadonlySet<string>;
  /** The bodies before the rows were read: locator -> path. Includes the body of every row. */
  readonly bodies: ReadonlyMap<string, string>;
  /** @returns the bytes of a body; undefined when it is not there any more */
  readonly read: (locator: string) => Promise<Buffer | undefined>;
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
    read: async (locator) => {
      const path = bodies.get(locator);
      return path === undefined ? undefined : readFile(path).catch(() => undefined);
    },
    remaining: new Set((await listBodies(dataDir)).keys()),
    staging: await readdir(join(dataDir, 'staging')),
  };
}

function readLedger(dataDir: string): Pick<DataContent, 'rows' | 'packages'> {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
  try {
    return parseRows({
      uploads: database.prepare('SELECT * FROM uploads').all(),
      packages: database.prepare('SELECT id FROM firmware_packages').all(),
    });
  } finally {
    database.close();
  }
}

/** @param tables - their rows as a database has them */
export function parseRows(tables: {
  readonly uploads: readonly unknown[];
  readonly packages: readonly unknown[];
}): Pick<DataContent, 'rows' | 'packages'> {
  const packages = z.array(z.object({ id: z.string() })).parse(tables.packages);
  return {
    rows: z.array(uploadRow).parse(tables.uploads),
    packages: new Set(packages.map(({ id }) => id)),
  };
}

/** @returns the bodies that no row has */
export function findOrphans({ bodies, remaining, rows }: DataContent): string[] {
  const held = new Set(rows.flatMap(({ locator, state }) => (state === 'purged' ? [] : [locator])));
  return [...bodies.keys()].filter((locator) => remaining.has(locator) && !held.has(locator));
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
 * Compares ledger and bodies while nothing is in progress: finds bodies without a row, rows without their bytes, and
 * anything in `staging/`.
 * @returns one line for each problem
 */
export async function findProblems(content: DataContent): Promise<string[]> {
  return [
    ...content.staging.map((name) => `${name} is left in staging/`),
    ...findOrphans(content).map((locator) => `the body ${locator} has no row`),
    ...(await findLosses(content)),
  ];
}

/** Finds rows without their bytes. @returns one line for each problem */
export async function findLosses({ bodies, read, rows }: DataContent): Promise<string[]> {
  const problems: string[] = [];
  for (const row of rows) {
    if (row.state !== 'stored' && row.state !== 'claimed') continue;
    const { locator } = row;
    if (locator === null || !bodies.has(locator)) {
      problems.push(`${row.key} is ${row.state} without bytes`);
      continue;
    }
    const bytes = await read(locator);
    // It may have been purged after the rows were read.
    if (bytes === undefined) continue;
    if (bytes.length !== row.size || md5Hex(bytes) !== row.md5) {
      problems.push(`${row.key} is ${row.state}, and its bytes are not what the ledger says`);
    }
  }
  return problems;
}
