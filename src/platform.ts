import type { Keys } from './accounts/keys.ts';
import type { Config } from './config/config.ts';
import { SettingsError } from './config/settings-error.ts';
import { serverUrl } from './http/public-host.ts';
import { BusinessError } from './iot/errors.ts';
import { runInside } from './iot/run-inside.ts';
import { upgradeMessage } from './iot/upgrade-message.ts';
import { OperatorError } from './operator/errors.ts';
import type { FormJudge, Platform } from './operator/ports.ts';
import { judgeForm, signFields } from './oss/post-object/authorize-form.ts';
import { createCallbackRule } from './oss/post-object/callback-target.ts';
import type { Clock } from './lib/clock.ts';
import type { BucketKey } from './signatures/bucket-key.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** Makes the operations of the IoT API as an operator uses them. */
export function createPlatform(
  { accounts, bucketKey }: Keys,
  uploads: UploadDependencies,
): Platform {
  return {
    compose: upgradeMessage,
    run: async (call) => {
      try {
        return await runInside({
          ...{ ...call, bucketKey, uploads },
          // Its callers name objects by a URL of their own, see platform-calls.ts: every host is accepted.
          publicUrl: undefined,
          isSoleAccount: accounts.soleAccount !== undefined,
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
  readonly config: Config;
  readonly bucketKey: BucketKey;
  readonly isAccountKey: (accessKeyId: string) => boolean;
  readonly clock: Clock;
  /** By which clients date their forms. */
  readonly wallClock: Clock;
  /** Ports that the gateway listens on; a callback may not lead to them. */
  readonly ownPorts: ReadonlySet<number>;
}

/** Judges forms with the checks of PostObject. */
export function createFormJudge({
  bucketKey,
  clock,
  config,
  isAccountKey,
  ownPorts,
  wallClock,
}: JudgeDependencies): FormJudge {
  const { bucket, maxUpload: maxUploadBytes, publicRead, region, unsignedCallbacks } = config;
  const callback = createCallbackRule(config, ownPorts);
  return {
    now: () => clock.now(),
    judge: (given, isSignatureUnknown) => {
      const now = clock.now();
      const fields = isSignatureUnknown ? signFields(given, bucketKey, now) : given;
      const refusal = judgeForm(fields, {
        ...{ bucket, bucketKey, isAccountKey, region, unsignedCallbacks },
        ...{ callback, maxUploadBytes, publicRead },
        now,
        wallNow: wallClock.now(),
      });
      if (refusal === undefined) return undefined;
      const { code, ec, elements, reason, status, summary } = refusal.error;
      return { code, ec, elements, reason, status, summary, isSigned: refusal.isSigned };
    },
  };
}

/** @returns the address of a gateway by its settings. @throws SettingsError when they do not say what clients use */
export function publicHost({ host, port, publicUrl, tlsCert }: Config): string {
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0 || ['0.0.0.0', '::'].includes(host)) {
    const text = `clients cannot connect to ${host}:${String(port)}: set the URL that they use`;
    throw new SettingsError([{ settings: ['publicUrl'], text }]);
  }
  return serverUrl({ isTls: tlsCert !== undefined, host, port });
}
