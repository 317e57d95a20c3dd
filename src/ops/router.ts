import { Router } from 'express';
import { composeConsole } from '../console/compose.ts';
import { createConsoleRouter, isForPageFile, protectPage } from '../console/router.ts';
import type { Logger } from '../lib/logger.ts';
import { createApiRouter } from './api/router.ts';
import { composeApi } from './api/dependencies.ts';
import type { ApiParts } from './api/dependencies.ts';
import { describeOpenApi } from './openapi.ts';
import { cutBroken } from './api/cut-broken.ts';
import { createApiErrorHandler, refuseRoute } from './api/errors.ts';
import { noteAccount, recordCalls, recordRefusals } from './api/record-calls.ts';
import { serveMetrics } from './metrics-route.ts';
import type { MetricsAccess } from './metrics-route.ts';
import type { Readiness } from './readiness.ts';
import { createSignInReporter } from './sign-in-reports.ts';
import { createErrorHandler, respondNotFound } from './responses.ts';
import { createTestRouter, refuseTestControls } from './test-controls.ts';
import type { TestControls } from './test-controls.ts';

/** What the operator routes work with. */
export interface OpsDependencies {
  /** Distinguishes this gateway from others. */
  readonly gatewayId: string;
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Undefined when they are off. */
  readonly metrics: MetricsAccess | undefined;
  readonly api: ApiParts;
  /** Undefined while test mode is off. */
  readonly tests: TestControls | undefined;
}

/** Makes the routes for the operator, mounted at `/_gateway`. */
export function createOpsRouter({
  api,
  gatewayId,
  logger,
  metrics,
  readiness,
  tests,
}: OpsDependencies): Router {
  const router = Router();
  const handleErrors = createErrorHandler(logger);
  const people = api.config.console ? composeConsole({ ...api, noteAccount }) : undefined;
  const apiDeps = composeApi({ ...api, sessions: people?.sessions });
  router.use('/api', createApiRouter(apiDeps));
  if (people !== undefined) {
    router.use(
      '/console',
      ...[protectPage, recordCalls(apiDeps, isForPageFile), cutBroken],
      ...[createConsoleRouter(people), refuseRoute],
      createApiErrorHandler(logger, createSignInReporter(api.reporter)),
    );
  }
  router.use(recordRefusals({ recording: api.recording, ids: api.deps.ids }));
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'live', gatewayId });
  });
  router.get('/health/ready', async (_request, response) => {
    const { problem, store, uploads } = await readiness.report();
    const shared = store === undefined ? {} : { ledger: 'ok', store };
    if (problem === undefined) response.json({ status: 'ready', uploads, ...shared });
    else response.status(503).json({ status: 'not ready', ...problem });
  });
  router.get('/metrics', serveMetrics(metrics));
  // Written once: anybody may ask, and writing it takes milliseconds of processor time.
  let openApi: string | undefined;
  router.get('/openapi.json', (_request, response) => {
    openApi ??= JSON.stringify(describeOpenApi());
    response.type('json').send(openApi);
  });
  router.use(
    '/test',
    tests === undefined ? refuseTestControls : createTestRouter(tests, handleErrors),
  );
  router.use(respondNotFound);
  router.use(handleErrors);
  return router;
}
