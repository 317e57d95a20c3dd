import type { Keys } from './accounts/keys.ts';
import type { Config } from './config/config.ts';
import { BusinessError } from './iot/errors.ts';
import { runInside } from './iot/run-inside.ts';
import { OperatorError } from './operator/errors.ts';
import type { FormJudge, Platform } from './operator/ports.ts';
import { judgeForm } from './oss/post-object/check-form.ts';
import type { Clock } from './lib/clock.ts';
import type { BucketKey } from './signatures/bucket-key.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** Makes the operations of the IoT API as an operator uses them. */
export function createPlatform(
  { accounts, bucketKey }: Keys,
  uploads: UploadDependencies,
): Platform {
  return {
    run: async (call) => {
      try {
        return await runInside({
          ...{ ...call, bucketKey, uploads },
          // Its callers name objects by a URL of their own, see platform-calls.ts: every host is accepted.
          publicUrl: undefined,
          isSoleAccount: accounts.soleAccount !== undefined,
          requestId: uploads.ids.apiRequest(),
        });
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error;
        const { code, message, reason } = error;
        throw new OperatorError('conflict', code, message, undefined, reason);
      }
    },
  };
}

/** What judging forms works with. */
export interface JudgeDependencies {
  readonly config: Pick<Config, 'bucket' | 'region' | 'unsignedCallbacks'>;
  readonly bucketKey: BucketKey;
  readonly isAccountKey: (accessKeyId: string) => boolean;
  readonly clock: Clock;
  /** By which clients date their forms. */
  readonly wallClock: Clock;
}

/** Judges forms with the checks of PostObject. */
export function createFormJudge({
  bucketKey,
  clock,
  config: { bucket, region, unsignedCallbacks },
  isAccountKey,
  wallClock,
}: JudgeDependencies): FormJudge {
  return {
    now: () => clock.now(),
    judge: (fields) =>
      judgeForm(fields, {
        ...{ bucket, bucketKey, isAccountKey, region, unsignedCallbacks },
        now: clock.now(),
        wallNow: wallClock.now(),
      }),
  };
}
