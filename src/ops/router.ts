import { Router } from 'express';
import { monotonicClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { describeOpenApi } from './openapi.ts';
import { Readiness } from './readiness.ts';
import { createErrorHandler, respondNotFound } from './responses.ts';
import { createTestRouter, refuseTestControls } from './test-controls.ts';
import type { TestControls } from './test-controls.ts';

/** What the operator routes work with. */
export interface OpsDependencies {
  /** Distinguishes this gateway from others. */
  readonly gatewayId: string;
  readonly logger: Logger;
  /** Rejects when a signed call cannot be recorded. */
  readonly requireWritable: () => Promise<void>;
  /** Undefined while test mode is off. */
  readonly tests: TestControls | undefined;
}

/** Makes the routes for the operator, mounted at `/_gateway`. */
export function createOpsRouter({
  gatewayId,
  logger,
  requireWritable,
  tests,
}: OpsDependencies): Router {
  const readiness = new Readiness(requireWritable, logger, monotonicClock);
  const router = Router();
  const handleErrors = createErrorHandler(logger);
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'live', gatewayId });
  });
  router.get('/health/ready', async (_request, response) => {
    const problem = await readiness.findProblem();
    if (problem === undefined) response.json({ status: 'ready' });
    else response.status(503).json({ status: 'not ready', ...problem });
  });
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
