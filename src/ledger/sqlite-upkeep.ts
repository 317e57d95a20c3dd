import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { LedgerUpkeep } from '../ports.ts';
import type { LedgerDatabase } from './database.ts';
import { LEDGER_FILE } from './database.ts';

/** More than any ledger has: copied in one go, nobody's writes can make the copy begin again and again. */
const ALL_PAGES = 0x7fff_ffff;
const WELL = 'ok';

const texts = z.array(z.string());

/** Each gives a line for everything that is wrong. */
const CONTRADICTIONS = [
  `SELECT 'the upload ' || key || ' is claimed by the package ' || package_id || ', which is not there'
   FROM uploads WHERE state = 'claimed'
     AND NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
  `SELECT 'the package ' || package_id || ' has the file ' || key || ', whose upload it has not claimed'
   FROM package_files WHERE NOT EXISTS (
     SELECT 1 FROM uploads WHERE uploads.key = package_files.key
       AND uploads.state = 'claimed' AND uploads.package_id = package_files.package_id)`,
  `SELECT 'the package ' || package_id || ' is not there, but has files'
   FROM package_files WHERE NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
];

/** What an operator asks of a ledger in SQLite. */
export class SqliteUpkeep implements LedgerUpkeep {
  readonly #database: Database;

  constructor({ database }: LedgerDatabase) {
    this.#database = database;
  }

  async findDamage(): Promise<string[]> {
    const integrity = this.#database.prepare('PRAGMA integrity_check').pluck().all();
    const damage = texts.parse(integrity).filter((line) => line !== WELL);
    const contradictions = CONTRADICTIONS.flatMap((sql) =>
      texts.parse(this.#database.prepare(sql).pluck().all()),
    );
    return Promise.resolve([...damage, ...contradictions]);
  }

  async copyTo(dataDir: string): Promise<void> {
    const path = join(dataDir, LEDGER_FILE);
    await this.#database.backup(path, { progress: () => ALL_PAGES });
    await using copy = await open(path, 'r');
    await copy.sync();
  }
}
