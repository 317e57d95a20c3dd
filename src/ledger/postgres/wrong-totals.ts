import { quoted } from '../../lib/quoted.ts';

/** A sum of `totals` beside a count of the rows. PostgreSQL returns sums as text. */
export interface WrongTotalRow {
  readonly account_id: string | null;
  readonly state: string;
  readonly said_count: string;
  readonly said_bytes: string;
  readonly count: string;
  readonly bytes: string;
}

/** Finds the sums that differ from the rows. One statement sees both at one moment, so gateways may be running. */
export const WRONG_TOTALS = `
  WITH said AS (
    SELECT account_id, state, sum(count) AS count, sum(bytes) AS bytes FROM totals GROUP BY account_id, state),
  counted AS (
    SELECT account_id, state, count(*) AS count, coalesce(sum(size), 0) AS bytes FROM uploads GROUP BY account_id, state
    UNION ALL
    SELECT account_id, 'package', count(*), 0 FROM firmware_packages GROUP BY account_id),
  compared AS (
    SELECT account_id, state, count AS said_count, bytes AS said_bytes, 0 AS count, 0 AS bytes FROM said
    UNION ALL
    SELECT account_id, state, 0, 0, count, bytes FROM counted)
  SELECT account_id, state, sum(said_count) AS said_count, sum(said_bytes) AS said_bytes, sum(count) AS count,
    sum(bytes) AS bytes
  FROM compared GROUP BY account_id, state
  HAVING sum(said_count) <> sum(count) OR sum(said_bytes) <> sum(bytes) ORDER BY account_id, state`;

/** @returns one line for each row */
export function describeWrongTotals(rows: readonly WrongTotalRow[]): readonly string[] {
  return rows.map((row) => {
    const owner = row.account_id === null ? 'no account' : `the account ${quoted(row.account_id)}`;
    const what = row.state === 'package' ? 'packages' : `${row.state} uploads`;
    const said = `${row.said_count} ${what} with ${row.said_bytes} bytes`;
    return `the totals of ${owner} count ${said}, but there are ${row.count} with ${row.bytes} bytes`;
  });
}
