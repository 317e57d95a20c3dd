import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isDiskFull } from '../../lib/errno.ts';
import { createPrivateFile } from '../../lib/private-files.ts';
import { quoted } from '../../lib/quoted.ts';
import type { LedgerMaintenance } from '../../uploads/maintenance/ports.ts';
import type { LedgerDatabase } from './database.ts';
import { LEDGER_FILE } from './database.ts';
import { compact, canReclaimSpace } from './vacuum.ts';

/** More than any ledger has. All pages are copied in one step: otherwise each write would restart the copy. */
const ALL_PAGES = 0x7fff_ffff;
/** What `PRAGMA integrity_check` returns for an undamaged database. */
const UNDAMAGED = 'ok';

const texts = z.array(z.string());
const names = z.array(z.tuple([z.string().nullable(), z.string().nullable()]));

/** Queries that find contradictions. Each row has a key and the id of a package, from which `text` makes a line. */
const CONTRADICTIONS: readonly (readonly [
  sql: string,
  text: (key: string, id: string) => string,
])[] = [
  [
    `SELECT key, package_id FROM uploads WHERE state = 'claimed'
         AND NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
    (key, id) => `the upload ${key} is claimed by the package ${id}, which does not exist`,
  ],
  [
    `SELECT key, package_id FROM package_files WHERE NOT EXISTS (
         SELECT 1 FROM uploads WHERE uploads.key = package_files.key
           AND uploads.state = 'claimed' AND uploads.package_id = package_files.package_id)`,
    (key, id) => `the package ${id} has the file ${key}, whose upload it has not claimed`,
  ],
  [
    `SELECT key, package_id FROM package_files
         WHERE NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
    (_, id) => `the package ${id} does not exist, but has files`,
  ],
];

/** The operations of an operator on a ledger in SQLite. */
export class SqliteMaintenance implements LedgerMaintenance {
  readonly #database: Database;

  constructor({ database }: LedgerDatabase) {
    this.#database = database;
  }

  async findDamage(): Promise<string[]> {
    const integrity = this.#database.prepare('PRAGMA integrity_check').pluck().all();
    const damage = texts.parse(integrity).filter((line) => line !== UNDAMAGED);
    const contradictions = CONTRADICTIONS.flatMap(([sql, text]) =>
      names
        .parse(this.#database.prepare(sql).raw().all())
        .map(([key, id]) => text(quoted(String(key)), quoted(String(id)))),
    );
    return Promise.resolve([...damage, ...contradictions]);
  }

  async copyTo(dataDir: string): Promise<void> {
    const path = join(dataDir, LEDGER_FILE);
    createPrivateFile(path);
    await this.#database.backup(path, { progress: () => ALL_PAGES });
    await using copy = await open(path, 'r');
    await copy.sync();
  }

  async compact(): Promise<'done' | 'unneeded' | 'full'> {
    if (canReclaimSpace(this.#database)) return Promise.resolve('unneeded');
    try {
      compact(this.#database);
      return await Promise.resolve('done');
    } catch (error) {
      if (isDiskFull(error)) return 'full';
      throw error;
    }
  }
}
