import type { Account } from '../../accounts/accounts.ts';
import type { OpenRecord } from '../../http/request-record.ts';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import type { Given, Parameter } from '../parameters/parameter.ts';
import type { ResponseValue } from '../render.ts';

/** The response of a call that succeeded. Its fields are sent in this order; it has no `Code`. */
export interface SuccessBody {
  readonly [field: string]: ResponseValue;
  readonly RequestId: string;
  readonly Success: true;
}

/** What an operation works with. */
export interface CallContext {
  readonly uploads: UploadDependencies;
  readonly bucketKey: BucketKey;
  readonly publicUrl: string | undefined;
  /** The address of the gateway as the caller sees it: scheme, host and path, no trailing slash. */
  readonly host: string;
  /** The path below which a host application has mounted the gateway, no trailing slash; empty for none. */
  readonly mountPath: string;
  readonly account: Account;
  /** Whether there is no other account. */
  readonly isSoleAccount: boolean;
  readonly instanceId: string | undefined;
  readonly requestId: string;
  /** What is logged of the call. */
  readonly record: Pick<OpenRecord, 'requestId' | 'keys' | 'from' | 'to'>;
}

/** One action of the API. */
export interface Operation {
  /** The value of `Action`. */
  readonly name: string;
  readonly summary: string;
  /** Calls per second and account. */
  readonly perSecond: number;
  /** The first missing one in this order is reported. */
  readonly parameters: readonly Parameter<unknown>[];
  /** @throws BusinessError when it refuses the call */
  run(context: CallContext, given: Given): Promise<SuccessBody>;
}
