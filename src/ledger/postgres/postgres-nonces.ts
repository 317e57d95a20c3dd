import type { NonceMemory } from '../../accounts/ports.ts';
import type { Connections } from './connections.ts';
import { statement } from './statement.ts';
import { RELAXED } from './upload-statements.ts';

const BURN = statement<{
  readonly accessKeyId: string;
  readonly nonce: string;
  readonly expiresAt: number;
}>(
  'burn_nonce',
  `INSERT INTO nonces (access_key_id, nonce, expires_at)
   SELECT :accessKeyId, :nonce, :expiresAt FROM ${RELAXED}
   ON CONFLICT (access_key_id, nonce) DO NOTHING`,
);

const PRUNE = statement<{ readonly expiredBefore: number; readonly limit: number }>(
  'prune_nonces',
  // By their places in the table, which is the only way to find an array of rows with two columns as their key.
  `DELETE FROM nonces USING ${RELAXED} WHERE ctid = ANY(ARRAY(
     SELECT ctid FROM nonces WHERE expires_at < :expiredBefore
     ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED))`,
);

/** Nonces that all gateways share, so that a replayed call is refused also by another one. */
export class PostgresNonces implements NonceMemory {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean> {
    const { count } = await this.#connections.change(BURN, { accessKeyId, nonce, expiresAt });
    return count === 1;
  }

  async prune(expiredBefore: number, limit: number): Promise<number> {
    return (await this.#connections.change(PRUNE, { expiredBefore, limit })).count;
  }
}
