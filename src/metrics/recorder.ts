import type { Dialect, RequestRecord } from '../http/request-record.ts';
import type { FailedTryListener, Observer, PurgeRun } from '../uploads/ports.ts';
import {
  ClosedLabel,
  ClosedSeries,
  DIALECTS,
  INTERNAL_ERROR,
  OK,
  OTHER,
  PURGE_REASONS,
  STATES,
  STATES_ON_DISK,
  STORE_FAILURES,
} from './labels.ts';
import type { Add, KnownNames } from './labels.ts';
import { createRegistry } from './registry.ts';
import type { MetricsRegistry } from './registry.ts';
import type { MetricSources } from './sources.ts';

/** How many series a label may have beside `other`. They keep all metrics together under 300 sets of labels. */
const MAX_CODES = 90;
const MAX_REASONS = 50;

/** The series of one operation. */
interface OperationSeries {
  readonly codes: ClosedSeries;
  readonly seconds: Add;
  readonly received: Add;
  readonly sent: Add;
}

/** Turns what happens in a gateway into metrics. */
export class MetricsRecorder {
  readonly #registry: MetricsRegistry;
  readonly #codes: ClosedLabel;
  readonly #operations: ReadonlyMap<Dialect, Map<string, OperationSeries>>;
  readonly #refusals: ReadonlyMap<Dialect, ClosedSeries>;
  readonly observer: CountedEvents;
  /** Counts a try of a request to a store. */
  readonly failedTry: FailedTryListener;

  constructor(registry: MetricsRegistry, known: KnownNames, now: () => number) {
    this.#registry = registry;
    this.#codes = new ClosedLabel([OK, INTERNAL_ERROR, ...known.codes], MAX_CODES);
    const reasons = new ClosedLabel(known.reasons, MAX_REASONS);
    const refusals = (dialect: Dialect): ClosedSeries =>
      new ClosedSeries(reasons, (reason) => registry.counter('refusals_total', [dialect, reason]));
    this.#operations = new Map(DIALECTS.map((dialect) => [dialect, new Map()]));
    this.#refusals = new Map(DIALECTS.map((dialect) => [dialect, refusals(dialect)]));
    this.observer = createObserver(registry, now);
    this.failedTry = createFailedTryCounter(registry);
    this.#presetOperations(known);
  }

  /** Makes a series of each operation, so that their rates are known from the start. */
  #presetOperations({ operations }: KnownNames): void {
    for (const [dialect, series] of this.#operations) {
      for (const operation of [...(operations[dialect] ?? []), OTHER]) {
        const made = this.#createOperation(dialect, operation);
        for (const code of [OK, INTERNAL_ERROR]) made.codes.add(code, 0);
        series.set(operation, made);
      }
    }
  }

  #createOperation(dialect: Dialect, operation: string): OperationSeries {
    const registry = this.#registry;
    return {
      codes: new ClosedSeries(this.#codes, (code) =>
        registry.counter('requests_total', [dialect, operation, code]),
      ),
      seconds: registry.histogram('request_duration_seconds', [dialect, operation]),
      received: registry.counter('received_bytes_total', [operation]),
      sent: registry.counter('sent_bytes_total', [operation]),
    };
  }

  /** Counts a request whose response has ended. */
  readonly responded = (record: RequestRecord): void => {
    const { bytesIn, bytesOut, code, dialect, ms, operation = OTHER, reason } = record;
    const operations = this.#operations.get(dialect);
    const series = operations?.get(operation) ?? operations?.get(OTHER);
    if (series === undefined) return;
    series.codes.add(code, 1);
    series.seconds(ms / 1000);
    if (bytesIn > 0) series.received(bytesIn);
    if (bytesOut > 0) series.sent(bytesOut);
    if (reason !== undefined) this.#refusals.get(dialect)?.add(reason, 1);
  };

  /** Measures everything that is not counted. @param inFlight - requests that are being handled, by dialect */
  async measure(sources: MetricSources, inFlight: ReadonlyMap<Dialect, number>): Promise<void> {
    const set = (...[name, value, labels]: SetArguments): void => {
      // Not 0, which would set off an alert.
      this.#registry.gauge(name, labels)(value ?? NaN);
    };
    const [oldest, disk, ledgerSize, isReady] = await Promise.all([
      sources.oldestStored(),
      sources.disk(),
      sources.ledgerSize(),
      sources.isReady(),
    ]);
    const backlog = sources.backlog();
    const { totals } = sources;
    for (const dialect of DIALECTS) {
      set('requests_in_flight', inFlight.get(dialect) ?? 0, [dialect]);
    }
    for (const state of STATES) set('uploads', totals.uploads[state].count, [state]);
    for (const state of STATES_ON_DISK) set('stored_bytes', totals.uploads[state].bytes, [state]);
    set('firmware_packages', totals.packages);
    set('oldest_unclaimed_timestamp_seconds', (oldest ?? 0) / 1000);
    set('disk_free_bytes', disk?.free);
    set('disk_size_bytes', disk?.size);
    set('ledger_size_bytes', ledgerSize);
    set('journals_full', backlog?.fullJournals);
    set('sha256_pending', backlog?.digests);
    set('connections', sources.connections());
    set('ledger_clock_ahead_seconds', toSeconds(sources.ledgerClockAhead()));
    set('store_failing', Number(sources.isStoreFailing()));
    set('ready', isReady ? 1 : 0);
    set('disk_reserved_bytes', sources.reserved);
    set('connections_limit', sources.connectionsLimit);
    set('claim_deadline_seconds', sources.claimTtl / 1000);
    set('upload_limit_bytes', sources.maxUpload);
    set('build_info', 1, [sources.version, sources.node]);
  }
}

function toSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

type SetArguments = readonly [
  name: Parameters<MetricsRegistry['gauge']>[0],
  value: number | undefined,
  labels?: readonly string[],
];

/** What of the events is counted. */
type CountedEvents = Required<Omit<Observer, 'modified' | 'packageDeleted' | 'deleted'>>;

/** @param now - Unix milliseconds */
function createObserver(registry: MetricsRegistry, now: () => number): CountedEvents {
  const issued = registry.counter('grants_issued_total');
  const stored = registry.counter('uploads_stored_total');
  const claimed = registry.counter('uploads_claimed_total');
  const size = registry.histogram('upload_size_bytes');
  const finish = registry.histogram('upload_finish_seconds');
  const age = registry.histogram('claim_age_seconds');
  const skew = registry.histogram('client_clock_skew_seconds');
  const purged = new Map(PURGE_REASONS.map((reason) => [reason, purgedSeries(registry, reason)]));
  return {
    issued: () => {
      issued(1);
    },
    stored: (_key, object) => {
      stored(1);
      size(object.size);
    },
    finished: (milliseconds) => {
      finish(milliseconds / 1000);
    },
    claimed: ({ createdAt, files }, storedAt) => {
      claimed(files.length);
      for (const time of storedAt) age((createdAt - time) / 1000);
    },
    purged: (body) => {
      purged.get(body.reason)?.(body.size);
    },
    purgeRan: createPurgeObserver(registry, now),
    dated: (milliseconds) => {
      skew(milliseconds / 1000);
    },
  };
}

function purgedSeries(registry: MetricsRegistry, reason: string): Add {
  const uploads = registry.counter('uploads_purged_total', [reason]);
  const bytes = registry.counter('purged_bytes_total', [reason]);
  uploads(0);
  bytes(0);
  return (size) => {
    uploads(1);
    bytes(size);
  };
}

function createFailedTryCounter(registry: MetricsRegistry): FailedTryListener {
  const failures = new Map(
    STORE_FAILURES.map((failure) => [failure, registry.counter('store_failures_total', [failure])]),
  );
  const retries = registry.counter('store_retries_total');
  for (const add of [...failures.values(), retries]) add(0);
  return (failure, isTriedAgain) => {
    failures.get(failure)?.(1);
    if (isTriedAgain) retries(1);
  };
}

function createPurgeObserver(
  registry: MetricsRegistry,
  now: () => number,
): (run: PurgeRun) => void {
  const seconds = registry.histogram('purge_duration_seconds');
  const lastSuccess = registry.gauge('purge_last_success_timestamp_seconds');
  const counters = {
    done: registry.counter('purge_runs_total', ['done']),
    failed: registry.counter('purge_runs_total', ['failed']),
    skipped: registry.counter('purge_runs_total', ['skipped']),
  };
  for (const add of Object.values(counters)) add(0);
  lastSuccess(now() / 1000);
  return ({ milliseconds, outcome }) => {
    counters[outcome](1);
    if (outcome !== 'skipped') seconds(milliseconds / 1000);
    if (outcome === 'done') lastSuccess(now() / 1000);
  };
}

/**
 * Creates a recorder and its registry.
 * @param ofProcess - also measures the process and Node
 * @param now - the clock of the gateway, in Unix milliseconds
 */
export function createRecorder(
  ofProcess: boolean,
  known: KnownNames,
  now: () => number,
): { readonly recorder: MetricsRecorder; readonly registry: MetricsRegistry } {
  const registry = createRegistry(ofProcess);
  return { registry, recorder: new MetricsRecorder(registry, known, now) };
}
