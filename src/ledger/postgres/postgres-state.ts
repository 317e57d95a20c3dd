import type { SharedState } from '../../uploads/shared-state.ts';
import type { Connections } from './connections.ts';
import { statement } from './statement.ts';
import type { None } from './statement.ts';

const AGREE = statement<{ readonly name: string; readonly value: string }>(
  'agree',
  'INSERT INTO agreements (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING',
);

const FIND_AGREED = statement<{ readonly name: string }, { readonly value: string }>(
  'find_agreed',
  'SELECT value FROM agreements WHERE name = :name',
);

/** By the clock of PostgreSQL, so that gateways whose clocks differ begin no job twice. */
const BEGIN_JOB = statement<{ readonly name: string; readonly seconds: number }>(
  'begin_job',
  `INSERT INTO jobs AS known (name, begun_at) VALUES (:name, clock_timestamp())
   ON CONFLICT (name) DO UPDATE SET begun_at = clock_timestamp()
   WHERE known.begun_at <= clock_timestamp() - make_interval(secs => :seconds)`,
);

const NOW = statement<None, { readonly now: number }>(
  'now',
  'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now',
);

/** What gateways agree on, in the database that they share. */
export class PostgresState implements SharedState {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async agree(name: string, value: string): Promise<string> {
    await this.#connections.change(AGREE, { name, value });
    return (await this.find(name)) ?? value;
  }

  async find(name: string): Promise<string | undefined> {
    const { rows } = await this.#connections.read(FIND_AGREED, { name });
    return rows[0]?.value;
  }

  async beginJob(name: string, interval: number): Promise<boolean> {
    const job = { name, seconds: interval / 1000 };
    return (await this.#connections.change(BEGIN_JOB, job)).count > 0;
  }

  async now(): Promise<number> {
    const { rows } = await this.#connections.read(NOW, {});
    if (rows[0] === undefined) throw new Error('PostgreSQL has not told the time');
    return rows[0].now;
  }
}
