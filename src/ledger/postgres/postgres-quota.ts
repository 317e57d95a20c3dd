import type { Quota } from '../../accounts/ports.ts';
import type { Connections } from './connections.ts';
import { statement } from './statement.ts';

/**
 * Adds a call to those of the last second, unless there are as many as allowed. The row is locked before the clock of
 * PostgreSQL is read, so that the times ascend.
 */
const TAKE = statement<
  { readonly accountId: string; readonly operation: string; readonly perSecond: number },
  { readonly wait: number | null }
>(
  'take_call',
  `INSERT INTO quota AS known (account_id, operation, calls)
   VALUES (:accountId, :operation, ARRAY[CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)])
   ON CONFLICT (account_id, operation) DO UPDATE SET (calls, wait) = (
     SELECT
       CASE WHEN cardinality(recent) < CAST(:perSecond AS integer) THEN recent || now ELSE recent END,
       CASE WHEN cardinality(recent) < CAST(:perSecond AS integer) THEN NULL
         ELSE CAST(ceil((recent[cardinality(recent) - CAST(:perSecond AS integer) + 1] + 1000000 - now) / 1000.0) AS integer) END
     FROM (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS now) AS clock,
       LATERAL (
         SELECT ARRAY(
           SELECT call FROM unnest(known.calls) AS call
           WHERE call > clock.now - 1000000 AND call <= clock.now) AS recent
       ) AS last_second)
   RETURNING wait`,
);

/** A quota that all gateways share. It allows what `createQuota` allows: in any second as many calls, and no more. */
export class PostgresQuota implements Quota {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async take(accountId: string, operation: string, perSecond: number): Promise<number | undefined> {
    const call = { accountId, operation, perSecond };
    const { rows } = await this.#connections.change(TAKE, call);
    return rows[0]?.wait ?? undefined;
  }
}
