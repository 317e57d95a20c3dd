import type { Keys } from './accounts/keys.ts';
import { BusinessError } from './iot/errors.ts';
import { runInside } from './iot/run-inside.ts';
import { OperatorError } from './operator/errors.ts';
import type { Platform } from './operator/ports.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** Makes the operations of the IoT API as an operator uses them. */
export function createPlatform(
  { accounts, bucketKey }: Keys,
  uploads: UploadDependencies,
  publicUrl: string | undefined,
): Platform {
  return {
    run: async (call) => {
      try {
        return await runInside({
          ...{ ...call, bucketKey, publicUrl, uploads },
          isSoleAccount: accounts.soleAccount !== undefined,
          requestId: uploads.ids.apiRequest(),
        });
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error;
        throw new OperatorError('conflict', error.code, error.message);
      }
    },
  };
}
