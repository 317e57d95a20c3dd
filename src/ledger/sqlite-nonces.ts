import type { Database, Statement } from 'better-sqlite3';
import type { NonceMemory } from '../ports.ts';
import type { LedgerDatabase } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

/** Nonces beside the ledger, so that a replayed call is refused across restarts too. */
export class SqliteNonces implements NonceMemory {
  readonly #commits: GroupCommit;
  readonly #insert: Statement<[string, string, number]>;
  readonly #prune: Statement<[number, number]>;

  constructor({ commits, database }: LedgerDatabase) {
    this.#commits = commits;
    this.#insert = prepareInsert(database);
    this.#prune = database.prepare<[number, number]>(
      `DELETE FROM nonces WHERE (access_key_id, nonce) IN (
         SELECT access_key_id, nonce FROM nonces WHERE expires_at < ? LIMIT ?)`,
    );
  }

  burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean> {
    return this.#commits.run(
      'relaxed',
      () => this.#insert.run(accessKeyId, nonce, expiresAt).changes === 1,
    );
  }

  prune(expiredBefore: number, limit: number): Promise<number> {
    return this.#commits.run('relaxed', () => this.#prune.run(expiredBefore, limit).changes);
  }
}

function prepareInsert(database: Database): Statement<[string, string, number]> {
  return database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO nonces (access_key_id, nonce, expires_at) VALUES (?, ?, ?)',
  );
}
