import type { Config } from './config/config.ts';
import type { RefusalLog } from './refusals/refusal-log.ts';
import { RefusalJournal } from './refusals/refusal-journal.ts';
import type { RefusalReader, RefusalStore } from './refusals/refusal-journal.ts';
import type { RefusalReporter } from './refusals/refusal-record.ts';
import { createRequestLog } from './http/request-log.ts';
import type { Recording, RequestObserver } from './http/request-record.ts';
import { monotonicClock as durationClock, wallClock as machineClock } from './lib/clock.ts';
import type { Clock } from './lib/clock.ts';
import type { GatewayMetrics } from './metrics/gateway-metrics.ts';
import type { EventHub } from './operator/events.ts';
import { showRefusal, showRequest } from './operator/show-requests.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** What people see of the requests of a gateway: its log, and what it refused. */
export interface Observation {
  readonly recording: Recording;
  /** Is called for each connection that is refused. */
  readonly observeRefused: RequestObserver;
  readonly refusals: RefusalReporter;
  /** Reads the refusals that are kept; undefined when none are. */
  readonly kept: RefusalReader | undefined;
  /** Removes the refusals that are too old, or too many. */
  readonly prune: () => Promise<void>;
  /** Forgets all refusals, for a reset. */
  readonly forget: () => Promise<void>;
  /** Writes what is not written yet. */
  readonly close: () => Promise<void>;
}

interface ObservationDependencies {
  readonly config: Pick<Config, 'refusalRetention'>;
  readonly uploads: Pick<UploadDependencies, 'clock' | 'logger'>;
  readonly store: RefusalStore | undefined;
  /** For tests, with the times of the clock of the gateway. */
  readonly log: RefusalLog;
  /** Passes requests and refusals to those who watch. */
  readonly hub: EventHub;
  /** Undefined when they are off. */
  readonly metrics: Pick<GatewayMetrics, 'begun' | 'ended' | 'responded'> | undefined;
  readonly parts: { readonly wallClock?: Clock; readonly monotonicClock?: Clock };
}

const MAX_REFUSALS = 10_000;
/** A wrong signature may be that of another policy: after this time it explains nothing. */
const SIGNATURE_AGE_MS = 3_600_000;

/** Composes what observes the requests of a gateway. */
export function createObservation({
  config: { refusalRetention },
  hub,
  log,
  metrics,
  parts,
  store,
  uploads: { clock, logger },
}: ObservationDependencies): Observation {
  const wallClock = parts.wallClock ?? machineClock;
  const monotonicClock = parts.monotonicClock ?? durationClock;
  const prune = async (): Promise<void> => {
    const now = wallClock.now();
    const [before, signaturesBefore] = [now - refusalRetention, now - SIGNATURE_AGE_MS];
    await store?.prune({ before, signaturesBefore, keep: MAX_REFUSALS });
  };
  const journal = store && new RefusalJournal(store, logger, monotonicClock, prune);
  const logRequest = createRequestLog(logger);
  const forTests = log.by(clock);
  const keepsRefusals = refusalRetention > 0;
  return {
    recording: {
      wallClock,
      monotonicClock,
      begun: metrics?.begun,
      ended: metrics?.ended,
      observe: (record) => {
        logRequest(record);
        metrics?.responded(record);
        if (hub.isWatched) hub.publish('request', showRequest(record), record.account);
      },
    },
    observeRefused: (record) => metrics?.responded(record),
    refusals: {
      report: (refusal) => {
        forTests.report(refusal);
        if (keepsRefusals) journal?.report(refusal);
        if (hub.isWatched) hub.publish('refusal', showRefusal(refusal), refusal.account);
      },
    },
    kept: journal?.reader,
    prune,
    forget: async () => {
      await journal?.settled();
      await store?.prune({ before: Infinity, signaturesBefore: Infinity, keep: 0 });
    },
    close: async () => {
      await journal?.settled();
    },
  };
}
