import type { Dialect, RequestRecord } from '../http/request-record.ts';
import { loadModule } from '../lib/load-module.ts';
import type { ObjectStore, Observer, UploadLedger } from '../uploads/ports.ts';
import type { KnownNames } from './labels.ts';
import type { MetricsRecorder } from './recorder.ts';
import type * as RecorderModule from './recorder.ts';
import type { MetricsRegistry } from './registry.ts';
import type { MetricSources } from './sources.ts';

/** What the metrics of a gateway work with. */
export interface MetricsDependencies {
  readonly sources: MetricSources;
  readonly known: KnownNames;
  readonly ledger: Pick<UploadLedger, 'watch' | 'onCommit' | 'onConnect'>;
  readonly store: Pick<ObjectStore, 'onFailedTry'>;
}

/** The text of the metrics, with its media type. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

interface Started {
  readonly registry: MetricsRegistry;
  readonly recorder: MetricsRecorder;
}

/**
 * The metrics of one gateway. Counting begins with `start`, or else when the metrics are first read; until then
 * they cost nothing.
 */
export class GatewayMetrics {
  readonly #deps: MetricsDependencies;
  readonly #inFlight = new Map<Dialect, number>();
  #starting: Promise<Started> | undefined;
  #recorder: MetricsRecorder | undefined;

  constructor(deps: MetricsDependencies) {
    this.#deps = deps;
  }

  /** Begins to count. Idempotent. @param ofProcess - also measures the process and Node */
  async start(ofProcess = false): Promise<void> {
    await (this.#starting ??= this.#start(ofProcess));
  }

  async #start(ofProcess: boolean): Promise<Started> {
    const { known, ledger, sources, store } = this.#deps;
    const { recorder, registry } = loadRecorder()(ofProcess, known, () => sources.now());
    const commit = registry.histogram('ledger_commit_seconds');
    ledger.onCommit((milliseconds) => {
      commit(milliseconds / 1000);
    });
    const connect = registry.histogram('ledger_connect_seconds');
    ledger.onConnect?.((milliseconds) => {
      connect(milliseconds / 1000);
    });
    store.onFailedTry?.(recorder.failedTry);
    this.#recorder = recorder;
    return { registry, recorder };
  }

  /** Receives the events of the gateway. */
  readonly observer: Observer = {
    issued: (grant) => this.#recorder?.observer.issued(grant),
    stored: (key, object) => this.#recorder?.observer.stored(key, object),
    finished: (milliseconds) => this.#recorder?.observer.finished(milliseconds),
    claimed: (one, storedAt) => this.#recorder?.observer.claimed(one, storedAt),
    purged: (body) => this.#recorder?.observer.purged(body),
    purgeRan: (run) => this.#recorder?.observer.purgeRan(run),
    dated: (milliseconds) => this.#recorder?.observer.dated(milliseconds),
  };

  /** Counts a request that a dialect begins to handle. Each must end with `ended`. */
  readonly begun = (dialect: Dialect): void => {
    this.#inFlight.set(dialect, (this.#inFlight.get(dialect) ?? 0) + 1);
  };

  /** Counts the end of a request that `begun` has counted. */
  readonly ended = (dialect: Dialect): void => {
    this.#inFlight.set(dialect, (this.#inFlight.get(dialect) ?? 1) - 1);
  };

  /** Counts a request whose response has ended. */
  readonly responded = (record: RequestRecord): void => {
    this.#recorder?.responded(record);
  };

  /** Measures, and renders all metrics in the text format of Prometheus. */
  async render(): Promise<MetricsText> {
    const { recorder, registry } = await (this.#starting ??= this.#start(false));
    const { ledger, sources } = this.#deps;
    await sources.totals.start(ledger);
    await recorder.measure(sources, this.#inFlight);
    return { contentType: registry.contentType, text: await registry.render() };
  }
}

/** Loads the recorder and with it prom-client, which most gateways of a test suite never need. */
function loadRecorder(): typeof RecorderModule.createRecorder {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof RecorderModule>(() => require('./recorder'), 'createRecorder')
    .createRecorder;
}
