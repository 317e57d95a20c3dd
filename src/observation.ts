import type { Config } from './config/config.ts';
import type { RefusalLog } from './refusals/refusal-log.ts';
import { RefusalJournal } from './refusals/refusal-journal.ts';
import type { RefusalReader, RefusalStore } from './refusals/refusal-journal.ts';
import type { RefusalRecord, RefusalReporter } from './refusals/refusal-record.ts';
import { createRequestLog } from './http/request-log.ts';
import type { Recording, RequestObserver, RequestRecord } from './http/request-record.ts';
import { monotonicClock as durationClock, wallClock as machineClock } from './lib/clock.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import type { GatewayMetrics } from './metrics/gateway-metrics.ts';
import type { EventHub } from './operator/events.ts';
import { showRefusal, showRequest } from './operator/show-requests.ts';
import type { UsageMeter } from './operator/usage.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import { findLatestUpload } from './uploads/latest-upload.ts';
import type { UploadLedger } from './uploads/ports.ts';

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
  readonly uploads: Pick<UploadDependencies, 'clock' | 'ledger' | 'logger'>;
  readonly store: RefusalStore | undefined;
  /** For tests, with the times of the clock of the gateway. */
  readonly log: RefusalLog;
  /** Passes requests and refusals to those who watch. */
  readonly hub: EventHub;
  /** Undefined when they are off. */
  readonly metrics: Pick<GatewayMetrics, 'begun' | 'ended' | 'responded'> | undefined;
  /** Counts refused requests. */
  readonly meter: Pick<UsageMeter, 'countRefusal'>;
  readonly parts: { readonly wallClock?: Clock; readonly monotonicClock?: Clock };
}

/** Of all accounts together, and of strangers. */
const MAX_REFUSALS = 5000;
/** A wrong signature may be that of another policy: after this time it explains nothing. */
const SIGNATURE_AGE_MS = 3_600_000;

/** Composes what observes the requests of a gateway. */
export function createObservation({
  config: { refusalRetention },
  hub,
  log,
  meter,
  metrics,
  parts,
  store,
  uploads: { clock, ledger, logger },
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
  const findOwner = ownerFinder(ledger, logger);
  const publish = createPublisher(hub, findOwner, logger);
  return {
    recording: {
      wallClock,
      monotonicClock,
      begun: metrics?.begun,
      ended: metrics?.ended,
      observe: (record) => {
        logRequest(record);
        metrics?.responded(record);
        if (hub.wants('request')) publish.request(record);
      },
    },
    observeRefused: (record) => metrics?.responded(record),
    refusals: {
      report: (refusal) => {
        meter.countRefusal();
        forTests.report(refusal);
        let found: Promise<RefusalRecord> | undefined;
        const find = (): Promise<RefusalRecord> => (found ??= withOwner(refusal, findOwner));
        const isKept = keepsRefusals && journal?.report(refusal, find) === true;
        if (hub.wants('refusal')) publish.refusal(find);
        return isKept;
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

interface Publisher {
  readonly request: (record: RequestRecord) => void;
  readonly refusal: (find: () => Promise<RefusalRecord>) => void;
}

/**
 * Tells those who watch of requests, each with the account that it concerns, in the order in which they ended: however
 * long the ledger takes to find an account.
 */
function createPublisher(hub: EventHub, findOwner: OwnerFinder, logger: Logger): Publisher {
  let last = Promise.resolve();
  const inTurn = <T>(finding: Promise<T>, publish: (found: T) => void): void => {
    const before = last;
    last = finding
      .then(async (found) => {
        await before;
        publish(found);
      })
      .catch((error: unknown) => {
        logger.error({ err: error }, 'could not tell those who watch of a request');
      });
  };
  return {
    request: (record) => {
      inTurn(findOwner(record, record.keys[0]), (account) => {
        const make = (): object => ({
          ...showRequest(record),
          ...(account !== undefined && { account }),
        });
        hub.publish('request', make, account);
      });
    },
    refusal: (find) => {
      inTurn(find(), (refusal) => {
        hub.publish('refusal', () => showRefusal(refusal), refusal.account);
      });
    },
  };
}

type OwnerFinder = (
  request: Pick<RefusalRecord, 'account' | 'dialect'>,
  key: string | undefined,
) => Promise<string | undefined>;

/**
 * Makes what finds the account that a request concerns. A request to OSS names none: there it is the account of the object
 * key. Any other request is only of the account that it names, whatever keys of others it names as well.
 */
function ownerFinder(
  ledger: Pick<UploadLedger, 'findUpload' | 'findPurged'>,
  logger: Logger,
): OwnerFinder {
  return async ({ account, dialect }, key) => {
    if (dialect !== 'oss' || account !== undefined || key === undefined) return account;
    try {
      const upload = await findLatestUpload(ledger, key);
      return upload?.issue?.accountId;
    } catch (error) {
      logger.debug({ err: error, key }, 'could not find the account of a key');
      return undefined;
    }
  };
}

async function withOwner(refusal: RefusalRecord, findOwner: OwnerFinder): Promise<RefusalRecord> {
  const account = await findOwner(refusal, refusal.key);
  return account === refusal.account ? refusal : { ...refusal, account };
}
