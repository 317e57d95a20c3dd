import express, { Router } from 'express';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { z } from 'zod';
import type { SeedResult } from '../client/seed.ts';
import type { Faults } from '../faults/fault-registry.ts';
import type { AdjustableClock } from '../lib/clock.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { PurgeReport } from '../uploads/purge-bodies.ts';
import type { Uploads } from '../uploads/uploads.ts';
import type { UploadWaits } from './await-upload.ts';
import { CLOCK_ROUTES } from './clock-routes.ts';
import { FAULT_ROUTES } from './fault-routes.ts';
import { respondNotFound } from './responses.ts';
import { mountRoutes } from './route.ts';
import type { notice, refusal } from './schemas.ts';
import type { ControlledSeed } from './seeding.ts';
import { STATE_ROUTES } from './state-routes.ts';
import { findAccessProblem } from './test-access.ts';
import type { TestAccess } from './test-access.ts';
import { UPLOAD_ROUTES } from './upload-routes.ts';

/** The latest events of a kind. */
interface Recent<Event> {
  list(): readonly Event[];
  clear(): void;
}

/** What the test controls work with. */
export interface TestControls {
  readonly clock: AdjustableClock;
  /** Is called after each change of the clock. */
  readonly clockMoved: () => void;
  readonly faults: Pick<Faults, 'cancel' | 'clear' | 'inject' | 'list'>;
  /** Requests that OSS would have treated differently. */
  readonly notices: Recent<z.output<typeof notice>>;
  /** Refused requests. */
  readonly refusals: Recent<z.output<typeof refusal>>;
  readonly uploads: Uploads;
  readonly purge: () => Promise<PurgeReport>;
  /** Forgets the nonces of past calls, and frees the quotas. */
  readonly forget: () => Promise<void>;
  readonly bucket: string;
  readonly bucketKey: BucketKey;
  readonly seed: (wanted: ControlledSeed) => Promise<SeedResult>;
  readonly waits: UploadWaits;
  /** Who may use them. */
  readonly access: TestAccess;
}

const OFF =
  'test mode is off; start the gateway with --test-mode (OTA_GATEWAY_TEST_MODE=on) to move its clock and inject faults';

/** Responds with 403 to every test control while test mode is off. */
export const refuseTestControls: RequestHandler = (_request, response) => {
  response.status(403).json({ error: OFF });
};

/** Every route of the test controls. */
export const TEST_ROUTES = [...CLOCK_ROUTES, ...FAULT_ROUTES, ...STATE_ROUTES, ...UPLOAD_ROUTES];

/** The test controls, mounted at `/_gateway/test`: JSON in, JSON out; docs/test-mode.md describes them. */
export function createTestRouter(
  controls: TestControls,
  handleErrors: ErrorRequestHandler,
): Router {
  const router = Router();
  router.use(guard(controls.access));
  router.use(express.json({ type: () => true, limit: '64kb', strict: true, inflate: false }));
  mountRoutes(router, TEST_ROUTES, controls);
  router.use(respondNotFound);
  // Here, because Express passes an error to the outer router by the global setImmediate, which a test may have faked.
  router.use(handleErrors);
  return router;
}

function guard(access: TestAccess): RequestHandler {
  return (request, response, next) => {
    const problem = findAccessProblem(request, access);
    if (problem === undefined) next();
    else response.status(403).json({ error: problem });
  };
}
