import type { Database } from 'better-sqlite3';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { MAX_NAMES } from '../../refusals/refusal-groups.ts';
import type { RefusalGroup, RefusalGroupQuery } from '../../refusals/refusal-groups.ts';

interface GroupParameters {
  readonly account: string | null;
  readonly since: number;
}

interface GroupRow {
  readonly reason: string;
  readonly code: string;
  readonly operation: string | null;
  readonly count: number;
  readonly lastAt: number;
  readonly requestId: string;
  readonly senders: number;
}

interface NamesParameters extends GroupParameters {
  readonly reason: string;
  readonly code: string;
  readonly operation: string | null;
  readonly limit: number;
}

const SENDER = 'CASE WHEN :account IS NULL THEN coalesce(account_id, peer) ELSE peer END';
const WANTED = 'at >= :since AND (:account IS NULL OR account_id = :account)';

/** Groups refusals. Everything is read from one index, except the ids of the newest ones. */
export class RefusalGrouping {
  readonly #groups;
  readonly #names;

  constructor(database: Database) {
    this.#groups = database.prepare<GroupParameters & { readonly limit: number }, GroupRow>(
      `SELECT grouped.*, newest.request_id AS requestId
       FROM (SELECT reason, code, operation, sum(1 + repeats) AS count, max(at) AS lastAt,
                    max(sequence) AS sequence, count(DISTINCT ${SENDER}) AS senders
             FROM refusals INDEXED BY refusals_grouped
             WHERE ${WANTED} AND code IS NOT NULL GROUP BY reason, code, operation) AS grouped
       JOIN refusals AS newest ON newest.sequence = grouped.sequence
       ORDER BY grouped.sequence DESC LIMIT :limit`,
    );
    this.#names = database
      .prepare<NamesParameters, string>(
        `SELECT DISTINCT ${SENDER} AS name FROM refusals INDEXED BY refusals_grouped
         WHERE reason = :reason AND code = :code AND operation IS :operation AND ${WANTED} AND name IS NOT NULL
         ORDER BY name LIMIT :limit`,
      )
      .pluck();
  }

  /** Reasons of another version of the program are left out. */
  list({ account, limit, since }: RefusalGroupQuery): RefusalGroup[] {
    const wanted = { account: account ?? null, since: since ?? Number.MIN_SAFE_INTEGER };
    return this.#groups.all({ ...wanted, limit }).flatMap((row) => {
      const { code, count, lastAt, operation, requestId, senders } = row;
      const reason = REFUSAL_REASONS.find((each) => each === row.reason);
      if (reason === undefined) return [];
      const names = this.#names.all({
        ...{ ...wanted, reason, code, operation },
        limit: MAX_NAMES,
      });
      return {
        ...{ reason, code, count, lastAt, requestId, who: { count: senders, names } },
        ...(operation !== null && { operation }),
      };
    });
  }
}
