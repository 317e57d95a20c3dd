import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { MAX_NAMES } from '../../refusals/refusal-groups.ts';
import type { RefusalGroup, RefusalGroupQuery } from '../../refusals/refusal-groups.ts';
import type { Connections } from './connections.ts';
import { unnamed } from './statement.ts';

interface GroupRow {
  readonly reason: string;
  readonly code: string;
  readonly operation: string | null;
  readonly count: number;
  readonly last_at: number;
  readonly request_id: string;
  readonly senders: number;
  readonly names: readonly string[] | null;
}

interface Wanted {
  readonly account: string | undefined;
  readonly since: number;
  readonly limit: number;
}

/** Groups refusals; those of another version of the program are left out. */
export async function groupRefusals(
  connections: Connections,
  { account, limit, since = Number.MIN_SAFE_INTEGER }: RefusalGroupQuery,
): Promise<RefusalGroup[]> {
  const sender = account === undefined ? 'coalesce(account_id, peer)' : 'peer';
  const ofAccount = account === undefined ? '' : 'AND account_id = :account';
  const { rows } = await connections.read(
    unnamed<Wanted, GroupRow>(
      `SELECT grouped.*, newest.request_id
       FROM (SELECT reason, code, operation, CAST(sum(1 + repeats) AS bigint) AS count, max(at) AS last_at,
                    max(sequence) AS sequence, count(DISTINCT ${sender}) AS senders,
                    (array_agg(DISTINCT ${sender} ORDER BY ${sender}) FILTER (WHERE ${sender} IS NOT NULL))
                      [1:${String(MAX_NAMES)}] AS names
             FROM refusals WHERE at >= :since ${ofAccount} GROUP BY reason, code, operation) AS grouped
       JOIN refusals AS newest ON newest.sequence = grouped.sequence
       ORDER BY grouped.sequence DESC LIMIT :limit`,
    ),
    { account, since, limit },
  );
  return rows.flatMap(({ code, count, last_at, names, operation, request_id, senders, ...row }) => {
    const reason = REFUSAL_REASONS.find((each) => each === row.reason);
    if (reason === undefined) return [];
    const who = { count: senders, names: names ?? [] };
    const group = { reason, code, count, lastAt: last_at, requestId: request_id, who };
    return [{ ...group, ...(operation !== null && { operation }) }];
  });
}
