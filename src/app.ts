import type { IncomingMessage, RequestListener } from 'node:http';
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
  const iot = createIotRouter({
    ...shared,
    accounts: keys.accounts,
    nonces,
    quota,
    quotaRule: config.qps,
  });
  const oss = createOssRouter({
    ...shared,
    region: config.region,
    publicRead: config.publicRead,
    corsRules: config.corsRules,
    callback: { allowedHosts: config.callbackHosts },
    drain: { bytes: config.drainBytes, milliseconds: config.drainTime },
  });
  const ops = createOpsRouter({
    logger: uploads.logger,
    tests,
    probe: async () => {
      await uploads.ledger.listPurging(0, 1);
    },
  });
  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('case sensitive routing')
    .set('query parser', false);
  app.use('/_gateway', ops);
  app.use(iot);
  app.use(oss);
  return (request, response) => {
    if (!isHot(request)) {
      app(request, response);
      return;
    }
    iot(request, response, () => {
      oss(request, response).catch(fail);
    }).catch(fail);

    function fail(error: unknown): void {
      uploads.logger.error({ err: error }, 'could not answer a request');
      response.destroy();
    }
  };
}

/** API calls and forms go to `/`. They are what there is most of, and need no router to know their way. */
function isHot({ url = '' }: IncomingMessage): boolean {
  return url === '/' || url.startsWith('/?');
}
