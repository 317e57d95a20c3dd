import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isDiskFull } from '../../lib/errno.ts';
import { createPrivateFile } from '../../lib/private-files.ts';
import type { LedgerMaintenance } from '../../uploads/maintenance/ports.ts';
import { CONTRADICTIONS, describeContradictions } from '../contradictions.ts';
import type { ContradictionRow } from '../contradictions.ts';
import type { LedgerDatabase } from './database.ts';
import { LEDGER_FILE } from './database.ts';
import { compact, canReclaimSpace } from './vacuum.ts';

/** More than any ledger has. All pages are copied in one step: otherwise each write would restart the copy. */
const ALL_PAGES = 0x7fff_ffff;
/** What `PRAGMA integrity_check` returns for an undamaged database. */
const UNDAMAGED = 'ok';

const texts = z.array(z.string());
/** The operations of an operator on a ledger in SQLite. */
export class SqliteMaintenance implements LedgerMaintenance {
  readonly #database: Database;

  constructor({ database }: LedgerDatabase) {
    this.#database = database;
  }

  async findDamage(): Promise<string[]> {
    const integrity = this.#database.prepare('PRAGMA integrity_check').pluck().all();
    const damage = texts.parse(integrity).filter((line) => line !== UNDAMAGED);
    const contradictions = CONTRADICTIONS.flatMap((each) =>
      describeContradictions(each, this.#database.prepare<[], ContradictionRow>(each.sql).all()),
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
