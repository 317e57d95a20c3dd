import { SAMPLE_MS } from '../../uploads/usage-history.ts';
import type { SampleQuery, UsageHistory, UsageSample } from '../../uploads/usage-history.ts';
import { ADD_SAMPLE, EVENTS, LEVELS, slotOf, toSample, toSampleRow } from '../usage-rows.ts';
import type { SampleRow } from '../usage-rows.ts';
import type { Connections } from './connections.ts';
import { statement } from './statement.ts';

const ADD = statement<SampleRow & { readonly slot: number }>('add_sample', ADD_SAMPLE);

/** The levels of the last row of each span, and the sums of what has happened in it. */
const LIST = statement<
  {
    readonly after: number;
    readonly until: number;
    readonly first: number;
    readonly last: number;
    readonly slots: number;
  },
  SampleRow
>(
  'list_samples',
  `WITH wanted AS MATERIALIZED (
     SELECT *, slot / CAST(:slots AS bigint) AS span FROM usage_samples
     WHERE slot BETWEEN :first AND :last AND at > :after AND at <= :until),
   levels AS (SELECT DISTINCT ON (span) span, at, ${LEVELS.join(', ')} FROM wanted ORDER BY span, at DESC),
   events AS (
     SELECT span, ${EVENTS.map((name) => `CAST(sum(${name}) AS bigint) AS ${name}`).join(', ')}
     FROM wanted GROUP BY span)
   SELECT at, ${[...LEVELS, ...EVENTS].join(', ')} FROM levels JOIN events USING (span) ORDER BY span`,
);

const PRUNE = statement<{ readonly slot: number }>(
  'prune_samples',
  'DELETE FROM usage_samples WHERE slot < :slot',
);

/** Samples of the usage that all gateways add: the levels are of all, and what has happened is added up. */
export class PostgresUsage implements UsageHistory {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async add(sample: UsageSample): Promise<void> {
    await this.#connections.change(ADD, toSampleRow(sample));
  }

  async list({ after, span, until }: SampleQuery): Promise<UsageSample[]> {
    const slots = Math.max(1, Math.floor(span / SAMPLE_MS));
    const [first, last] = [slotOf(after), slotOf(until)];
    const { rows } = await this.#connections.read(LIST, { after, until, first, last, slots });
    return rows.map(toSample);
  }

  async prune(before: number): Promise<void> {
    await this.#connections.change(PRUNE, { slot: slotOf(before) });
  }
}
