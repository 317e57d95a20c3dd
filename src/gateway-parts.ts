import type { Account } from './accounts/accounts.ts';
import type { Quota } from './accounts/ports.ts';
import type { FaultCodes } from './fault-codes.ts';
import type { FaultRegistry } from './faults/fault-registry.ts';
import type { RefusalLog } from './refusals/refusal-log.ts';
import type { Records } from './ledger/records.ts';
import type { Clock } from './lib/clock.ts';
import type { Ids } from './lib/ids.ts';
import type { Logger } from './lib/logger.ts';
import type { NoticeLog } from './oss/fidelity.ts';
import type { ObjectStore, Observer } from './uploads/ports.ts';

/** Parts that replace the gateway's own. */
export interface GatewayParts {
  readonly clock?: Clock;
  /** The clock by which clients date their calls; differs from `clock` when that one is moved by hand. */
  readonly wallClock?: Clock;
  /** Measures real time; never goes back, and cannot be set. */
  readonly monotonicClock?: Clock;
  readonly ids?: Ids;
  readonly logger?: Logger;
  /** Are called after each event, in their order. */
  readonly observers?: readonly Observer[];
  /** A ledger and its nonces. Absent: they are kept in the data folder. */
  readonly records?: Records;
  readonly store?: ObjectStore;
  readonly quota?: Quota;
  /** Faults that a test injects: see `createFaults`. */
  readonly faults?: FaultRegistry<FaultCodes>;
  /** Keeps the notices about requests that OSS would treat differently. */
  readonly notices?: NoticeLog;
  /** Keeps the refused requests. */
  readonly refusals?: RefusalLog;
  /** Distinguishes it from other gateways in `/_gateway/health/live`. Absent: generated. */
  readonly gatewayId?: string;
  /** Counts from the start, and measures the process, too. Absent: counting begins when the metrics are first read. */
  readonly measureProcess?: boolean;
  /** The accounts that may call the API, instead of those of the settings. */
  readonly accounts?: readonly Account[];
}
