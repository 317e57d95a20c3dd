import type { Database, Statement } from 'better-sqlite3';
import type { NonceMemory } from '../../accounts/ports.ts';
import type { LedgerDatabase } from './database.ts';

/** Nonces in the database of the ledger, so that a replayed call is refused also after a restart. */
export class SqliteNonces implements NonceMemory {
  readonly #database: LedgerDatabase;
  readonly #insert: Statement<[string, string, number]>;
  readonly #prune: Statement<[number, number]>;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#insert = prepareInsert(database.database);
    this.#prune = database.database.prepare<[number, number]>(
      `DELETE FROM nonces WHERE (access_key_id, nonce) IN (
         SELECT access_key_id, nonce FROM nonces WHERE expires_at < ? LIMIT ?)`,
    );
  }

  burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean> {
    return this.#database.commits.run(
      'relaxed',
      () => this.#insert.run(accessKeyId, nonce, expiresAt).changes === 1,
    );
  }

  prune(expiredBefore: number, limit: number): Promise<number> {
    return this.#database.runPurge('relaxed', () => this.#prune.run(expiredBefore, limit).changes);
  }
}

function prepareInsert(database: Database): Statement<[string, string, number]> {
  return database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO nonces (access_key_id, nonce, expires_at) VALUES (?, ?, ?)',
  );
}
