import type { ServerResponse } from 'node:http';
import type { FaultPlan } from '../faults/fault-plan.ts';
import type { DrainLimits } from '../http/drain.ts';
import type { MemoryBudget } from '../http/memory-budget.ts';
import type { ExplainDependencies, Recording } from '../http/request-record.ts';
import type { Clock } from '../lib/clock.ts';
import type { LimitedLog } from '../lib/limited-log.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { CorsRule } from './cors.ts';
import type { Fidelity } from './fidelity.ts';
import type { OssRequest } from './oss-request.ts';
import type { CallbackRule } from './post-object/callback-target.ts';

/** Dependencies of the OSS host. */
export interface OssDependencies extends ExplainDependencies {
  readonly uploads: UploadDependencies;
  readonly bucketKey: BucketKey;
  /** Whether an access key is one of an account; for the texts of errors. */
  readonly isAccountKey: (accessKeyId: string) => boolean;
  /** Region in V4 credentials, e.g. `cn-shanghai`. */
  readonly region: string;
  /** Hosts that clients may have signed instead of the received one, see `publicHosts`. */
  readonly publicHosts: readonly string[];
  /** The machine's clock, which clients date their requests by. */
  readonly wallClock: Clock;
  /** Whether objects can be read without a signature. */
  readonly publicRead: boolean;
  readonly corsRules: readonly CorsRule[];
  readonly callback: CallbackRule;
  /** For lines that any stranger can cause. */
  readonly limitedLog: LimitedLog;
  /** Decides about what OSS would treat differently. */
  readonly fidelity: Fidelity;
  readonly recording: Recording;
  /** Undefined when no faults can be injected. */
  readonly faults: FaultPlan | undefined;
  /** How much of a refused request is still read, so that the client can receive the response. */
  readonly drain: DrainLimits;
  /** Limits the memory of forms until their signature is verified. */
  readonly unsigned: MemoryBudget;
}

/** Handles a request. An error that it throws becomes the response. */
export type OssOperation<Request = OssRequest> = (
  request: Request,
  response: ServerResponse,
) => Promise<void>;
