import type { IncomingMessage, RequestListener } from 'node:http';
import express from 'express';
import type { Keys } from './accounts/keys.ts';
import type { NonceMemory, Quota } from './accounts/ports.ts';
import type { Config } from './config/config.ts';
import type { FaultPlan } from './faults/fault-plan.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { createIotRouter } from './iot/router.ts';
import type { IotHandler } from './iot/router.ts';
import type { Clock } from './lib/clock.ts';
import { createOpsRouter } from './ops/router.ts';
import type { TestControls } from './ops/test-controls.ts';
import { createCallbackRule } from './oss/post-object/callback-target.ts';
import { createOssRouter } from './oss/router.ts';
import type { OssHandler } from './oss/router.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** What an application is composed of. */
export interface AppDependencies {
  readonly config: Config;
  readonly keys: Keys;
  readonly uploads: UploadDependencies;
  readonly nonces: NonceMemory;
  readonly faults: FaultPlan | undefined;
  readonly quota: Quota;
  /** The clock that clients date their calls by. */
  readonly wallClock: Clock;
  /** Ports that the gateway listens on; more may come. */
  readonly ownPorts: ReadonlySet<number>;
  /** Mounted in test mode. */
  readonly tests: TestControls | undefined;
}

/**
 * Decides which request goes where: what is under `/_gateway` to the operator surface, API calls to the IoT API, and
 * everything else to OSS, which has an error for each. Only the operator surface is Express's: it costs a third of the
 * time of a signed call, and has pages of its own for what it cannot parse.
 */
export function createApp(deps: AppDependencies): RequestListener {
  const { logger } = deps.uploads;
  const ops = createOperatorApp(deps);
  const { iot, oss } = createDialects(deps);
  return (request, response) => {
    if (isForOperator(request)) {
      ops(request, response);
      return;
    }
    iot(request, response, () => {
      oss(request, response).catch(fail);
    }).catch(fail);

    function fail(error: unknown): void {
      logger.error({ err: error }, 'could not answer a request');
      response.destroy();
    }
  };
}

const OPERATOR_TARGET = /^(?:https?:\/\/[^/?#]*)?\/_gateway(?:[/?#]|$)/;

function isForOperator({ url = '' }: IncomingMessage): boolean {
  // Express cannot parse every absolute target that Node lets pass.
  return OPERATOR_TARGET.test(url) && (url.startsWith('/') || URL.canParse(url));
}

function createDialects(deps: AppDependencies): { iot: IotHandler; oss: OssHandler } {
  const { config, faults, keys, nonces, quota, uploads, wallClock } = deps;
  const shared = {
    uploads,
    bucketKey: keys.bucketKey,
    publicUrl: config.publicUrl,
    faults,
    wallClock,
    unsigned: new MemoryBudget({ total: config.maxUnsigned, ...UNSIGNED }),
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
    callback: createCallbackRule(config, deps.ownPorts),
    drain: { bytes: config.drainBytes, milliseconds: config.drainTime },
  });
  return { iot, oss };
}

/** Ordinary forms and calls have less than what is free; the others wait a moment for room. */
const UNSIGNED = { free: 16 * 1024, waitLimit: 1000 };

function createOperatorApp({ tests, uploads }: AppDependencies): RequestListener {
  const ops = createOpsRouter({
    logger: uploads.logger,
    tests,
    probe: async () => {
      await uploads.ledger.listPurging(0, 1);
    },
  });
  return express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('case sensitive routing')
    .set('query parser', false)
    .use('/_gateway', ops);
}
