import type { RequestListener } from 'node:http';
import express from 'express';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { createIotRouter } from './iot/router.ts';
import type { Keys } from './keys.ts';
import { createOpsRouter } from './ops/router.ts';
import type { TestControls } from './ops/test-controls.ts';
import { createOssRouter } from './oss/router.ts';
import type { FaultPlan } from './faults/fault-plan.ts';
import type { NonceMemory, Quota } from './ports.ts';
import type { UploadParts } from './uploads/parts.ts';

/** What an application is composed of. */
export interface AppParts {
  readonly config: Config;
  readonly keys: Keys;
  readonly uploads: UploadParts;
  readonly nonces: NonceMemory;
  readonly faults: FaultPlan;
  readonly quota: Quota;
  /** The clock that clients date their calls by. */
  readonly wallClock: Clock;
  /** Mounted in test mode. */
  readonly tests: TestControls | undefined;
}

/** Two dialects on one listener: what is no call of the IoT API is a request to OSS. */
export function createApp(parts: AppParts): RequestListener {
  const { config, faults, keys, nonces, quota, tests, uploads, wallClock } = parts;
  const shared = {
    uploads,
    bucketKey: keys.bucketKey,
    publicUrl: config.publicUrl,
    faults,
    wallClock,
  };
  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('case sensitive routing')
    .set('query parser', false);
  app.use(
    '/_gateway',
    createOpsRouter({
      logger: uploads.logger,
      tests,
      probe: async () => {
        await uploads.ledger.listPurging(0, 1);
      },
    }),
  );
  app.use(
    createIotRouter({
      ...shared,
      accounts: keys.accounts,
      nonces,
      quota,
      quotaRule: config.qps,
    }),
  );
  app.use(
    createOssRouter({
      ...shared,
      region: config.region,
      publicRead: config.publicRead,
      corsRules: config.corsRules,
      callback: { allowedHosts: config.callbackHosts },
      drain: { bytes: config.drainBytes, milliseconds: config.drainTime },
    }),
  );
  return app;
}
