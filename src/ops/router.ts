import { Router } from 'express';
import type { Logger } from '../lib/logger.ts';
import { createErrorHandler, respondNotFound } from './responses.ts';
import { createTestRouter, refuseTestControls } from './test-controls.ts';
import type { TestControls } from './test-controls.ts';

/** What the operator routes work with. */
export interface OpsDependencies {
  readonly logger: Logger;
  /** Rejects when the gateway cannot serve requests. */
  readonly probe: () => Promise<void>;
  /** Undefined while test mode is off. */
  readonly tests: TestControls | undefined;
}

/** Makes the routes for the operator, mounted at `/_gateway`. */
export function createOpsRouter({ logger, probe, tests }: OpsDependencies): Router {
  const router = Router();
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  router.get('/health/ready', async (_request, response) => {
    try {
      await probe();
      response.json({ status: 'ready' });
    } catch (error) {
      logger.error({ err: error }, 'not ready');
      response.status(503).json({ status: 'not ready' });
    }
  });
  router.use('/test', tests === undefined ? refuseTestControls : createTestRouter(tests));
  router.use(respondNotFound);
  router.use(createErrorHandler(logger));
  return router;
}
