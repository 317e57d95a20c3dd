import { Router } from 'express';
import type { Logger } from '../lib/logger.ts';
import { answerErrors, answerMissing } from './answers.ts';
import { createTestRouter, refuseTestControls } from './test-controls.ts';
import type { TestControls } from './test-controls.ts';

/** What the operator surface reports on. */
export interface OpsDependencies {
  readonly logger: Logger;
  /** Fails when the gateway cannot serve. */
  readonly probe: () => Promise<void>;
  /** Undefined while test mode is off. */
  readonly tests: TestControls | undefined;
}

/** The gateway's own surface for its operator, mounted at `/_gateway`. */
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
  router.use(answerMissing);
  router.use(answerErrors(logger));
  return router;
}
