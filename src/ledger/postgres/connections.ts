import { Client, DatabaseError, Pool, TypeOverrides, types } from 'pg';
import type { PoolClient, PoolConfig, QueryResultRow } from 'pg';
import { preciseNow } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { LedgerUnavailable } from '../../uploads/unavailable.ts';
import type { Statement } from './statement.ts';

/** How to reach a database. */
export interface PostgresAddress {
  /** `postgres://user:password@host/database`, with the options of libpq that `pg` knows. */
  readonly url: string;
  /** The most connections at the same time. */
  readonly connections: number;
  /** Absent: {@link DEFAULT_TIMEOUTS}. */
  readonly timeouts?: Timeouts;
}

/** How long a call waits, in milliseconds: a server that stands still costs no more. */
export interface Timeouts {
  /** For a connection. */
  readonly connect: number;
  /** For the result of a statement. */
  readonly statement: number;
}

const DEFAULT_TIMEOUTS: Timeouts = { connect: 3000, statement: 5000 };
/** How much later a call gives up than PostgreSQL does, which keeps the connection. */
const ANSWER_GRACE_MS = 500;
/** How long a gateway that was cut off from the network keeps its row locks. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** How often a transaction is tried that was rolled back because of another one. */
const MAX_TRIES = 5;

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const UNIQUE_VIOLATION = '23505';
/** A text has U+0000. */
const UNKNOWN_CHARACTER = '22021';
/** Indexes of what two transactions may add at the same time; the next try finds what the other one has added. */
const CONTENDED = new Set(['uploads_by_key', 'packages_by_name', 'packages_by_version']);
/** Read-only, because it is no longer the primary; about to stop, crashed, or starting; an idle transaction was ended. */
const SERVER_GONE = new Set(['25006', '57P01', '57P02', '57P03', '25P03']);
/** A statement, or its wait for a lock, took too long. */
const TOO_LATE = new Set(['57014', '55P03']);
/** The connection of a pooler in between; too few connections, or too little memory or disk. */
const PASSING_CLASSES = ['08', '53'];

/** The rows of a result, and how many a statement has changed. */
export interface Result<Row> {
  readonly rows: Row[];
  readonly count: number;
}

const NOTHING = { rows: [], count: 0 };

/** Runs a statement inside a transaction. */
export type RunStatement = <Parameters extends object, Row extends QueryResultRow>(
  statement: Statement<Parameters, Row>,
  parameters: Parameters,
) => Promise<Result<Row>>;

/**
 * A pool of connections. A connection that may be broken is closed, so that the next call opens a new one: the pool
 * recovers from a restart or a failover by itself.
 */
export class Connections {
  readonly #pool: Pool;
  readonly #listeners: ((milliseconds: number) => void)[] = [];
  readonly #connectListeners: ((milliseconds: number) => void)[] = [];

  constructor(address: PostgresAddress, logger: Logger) {
    this.#pool = new Pool(poolConfig(address));
    // Without a listener, the end of an idle connection would end the process.
    this.#pool.on('error', (error) => {
      logger.warn(
        { err: error },
        'a connection to PostgreSQL was lost; the next call opens a new one',
      );
    });
  }

  /** Calls back after each change with its time in milliseconds. */
  onCommit(listener: (milliseconds: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls back after each wait for a connection with its time in milliseconds, also when none came. */
  onConnect(listener: (milliseconds: number) => void): void {
    this.#connectListeners.push(listener);
  }

  /** Runs a statement that changes nothing. By a text that PostgreSQL cannot have, it finds nothing. */
  async read<Parameters extends object, Row extends QueryResultRow>(
    statement: Statement<Parameters, Row>,
    parameters: Parameters,
  ): Promise<Result<Row>> {
    try {
      return await this.#run(statement, parameters);
    } catch (error) {
      if (error instanceof DatabaseError && error.code === UNKNOWN_CHARACTER) return NOTHING;
      throw error;
    }
  }

  /** Runs a statement that is a transaction of its own. */
  change<Parameters extends object, Row extends QueryResultRow>(
    statement: Statement<Parameters, Row>,
    parameters: Parameters,
  ): Promise<Result<Row>> {
    return this.#measure(() => this.#run(statement, parameters));
  }

  /** Runs a transaction. It is run again when another transaction is in its way, so it must change only the database. */
  transaction<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#measure(() =>
      retry(
        () => this.#use((client) => runTransaction(client, work)),
        (error) => violatedIndex(error, CONTENDED) !== undefined,
      ),
    );
  }

  /** Waits for the calls under way. Can be called again. */
  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  #run<Parameters extends object, Row extends QueryResultRow>(
    statement: Statement<Parameters, Row>,
    parameters: Parameters,
  ): Promise<Result<Row>> {
    return retry(() => this.#use((client) => runOn(client)(statement, parameters)));
  }

  async #measure<T>(change: () => Promise<T>): Promise<T> {
    const startedAt = preciseNow();
    const result = await change();
    for (const listener of this.#listeners) listener(preciseNow() - startedAt);
    return result;
  }

  async #connect(): Promise<PoolClient> {
    const startedAt = preciseNow();
    try {
      return await asked(() => this.#pool.connect());
    } finally {
      for (const listener of this.#connectListeners) listener(preciseNow() - startedAt);
    }
  }

  async #use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    // The pool listens only while a connection is idle. The call fails by the same error.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }
}

/** @returns the index that an error says would have had a value twice, if it is one of these */
export function violatedIndex(error: unknown, indexes: ReadonlySet<string>): string | undefined {
  if (!(error instanceof DatabaseError) || error.code !== UNIQUE_VIOLATION) return undefined;
  const { constraint } = error;
  return constraint !== undefined && indexes.has(constraint) ? constraint : undefined;
}

/** Works on a connection of its own, whose statements may take longer than any call. */
export async function withClient<T>(
  address: Omit<PostgresAddress, 'connections'>,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(connectionConfig(address));
  // The call fails by the same error.
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw unreachable(address.url, error);
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Says which server does not let anyone in, without its password. */
function unreachable(url: string, cause: unknown): Error {
  const { host, pathname } = new URL(url);
  // The addresses of a name are tried in turn.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  const reason = causes.map((each) => (each instanceof Error ? each.message : String(each)));
  const advice = 'Check the URL of the ledger, and whether PostgreSQL is running there';
  const message = `PostgreSQL at ${host}${pathname} cannot be used: ${reason.join(', ')}. ${advice}`;
  return new Error(message, { cause });
}

function connectionConfig({
  timeouts = DEFAULT_TIMEOUTS,
  url,
}: Omit<PostgresAddress, 'connections'>): PoolConfig {
  const overrides = new TypeOverrides();
  // Times and sizes are far below 2 ** 53.
  overrides.setTypeParser(types.builtins.INT8, Number);
  return {
    connectionString: url,
    fallback_application_name: 'ota-gateway',
    connectionTimeoutMillis: timeouts.connect,
    keepAlive: true,
    types: overrides,
  };
}

function poolConfig(address: PostgresAddress): PoolConfig {
  const { statement } = address.timeouts ?? DEFAULT_TIMEOUTS;
  return {
    ...connectionConfig(address),
    max: address.connections,
    query_timeout: statement + ANSWER_GRACE_MS,
    statement_timeout: statement,
    lock_timeout: statement,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
}

function runOn(client: PoolClient): RunStatement {
  return async <Parameters extends object, Row extends QueryResultRow>(
    { name, names, text }: Statement<Parameters, Row>,
    parameters: Parameters,
  ) => {
    const values = names.map((each) => toValue(Reflect.get(parameters, each)));
    const query = { ...(name && { name }), text, values };
    const { rowCount, rows } = await asked(() => client.query<Row>(query));
    return { rows, count: rowCount ?? 0 };
  };
}

/** @param value - of a parameter; an absent one is NULL, and an infinite time or limit is later or larger than any other */
function toValue(value: unknown): unknown {
  if (value === Infinity) return Number.MAX_SAFE_INTEGER;
  return value;
}

async function runTransaction<T>(
  client: PoolClient,
  work: (run: RunStatement) => Promise<T>,
): Promise<T> {
  await asked(() => client.query('BEGIN'));
  try {
    const result = await work(runOn(client));
    await asked(() => client.query('COMMIT'));
    return result;
  } catch (error) {
    if (!isBroken(error)) await asked(() => client.query('ROLLBACK'));
    throw error;
  }
}

async function retry<T>(
  attempt: () => Promise<T>,
  isContended: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === MAX_TRIES || !(isConflict(error) || isContended(error))) throw error;
    }
  }
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false;
  return error.code === SERIALIZATION_FAILURE || error.code === DEADLOCK;
}

/** Asks PostgreSQL. @throws LedgerUnavailable when it does not answer, or cannot do it now; other errors unchanged */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isAway(error)) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new LedgerUnavailable(`PostgreSQL does not answer, or cannot now: ${said}`, {
      cause: error,
    });
  }
}

/** Whether what PostgreSQL or its driver says may be over at the next call. Without SQLSTATE, it is the driver or the network. */
function isAway(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true;
  const { code = '' } = error;
  return SERVER_GONE.has(code) || TOO_LATE.has(code) || PASSING_CLASSES.includes(code.slice(0, 2));
}

/** Whether a connection cannot be used again: PostgreSQL has not answered, or the server is not what it was. */
function isBroken(error: unknown): boolean {
  const cause = error instanceof LedgerUnavailable ? error.cause : error;
  return !(cause instanceof DatabaseError) || SERVER_GONE.has(cause.code ?? '');
}
