import express, { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import type { Faults } from '../faults/fault-registry.ts';
import { explainIssues } from '../faults/fault-spec.ts';
import type { AdjustableClock } from '../lib/clock.ts';
import { PACKAGE_STATUS } from '../uploads/firmware-package.ts';
import type { PurgeReport } from '../uploads/purge.ts';
import type { StatusName } from '../uploads/snapshot.ts';
import type { Uploads } from '../uploads/uploads.ts';
import { BadControl, respondNotFound } from './responses.ts';
import { findAccessProblem } from './test-access.ts';
import type { TestAccess } from './test-access.ts';

/** The latest notices about requests that OSS would treat differently. */
interface Notices {
  list(): readonly object[];
  clear(): void;
}

/** What the test controls work with. */
export interface TestControls {
  readonly clock: AdjustableClock;
  readonly faults: Pick<Faults, 'cancel' | 'clear' | 'inject' | 'list'>;
  readonly notices: Notices;
  /** The latest refused requests. */
  readonly refusals: Notices;
  readonly uploads: Uploads;
  readonly purge: () => Promise<PurgeReport>;
  /** Forgets the nonces of past calls. */
  readonly forget: () => Promise<void>;
  /** Who may use them. */
  readonly access: TestAccess;
}

const OFF =
  'test mode is off; start the gateway with --test-mode (OTA_GATEWAY_TEST_MODE=on) to move its clock and inject faults';

/** Responds with 403 to every test control while test mode is off. */
export const refuseTestControls: RequestHandler = (_request, response) => {
  response.status(403).json({ error: OFF });
};

/** The test controls, mounted at `/_gateway/test`: JSON in, JSON out; docs/test-mode.md describes them. */
export function createTestRouter(controls: TestControls): Router {
  const router = Router();
  router.use(guard(controls.access));
  router.use(express.json({ type: () => true, limit: '64kb', strict: true, inflate: false }));
  addClock(router, controls);
  addFaults(router, controls);
  addState(router, controls);
  router.use(respondNotFound);
  return router;
}

function guard(access: TestAccess): RequestHandler {
  return (request, response, next) => {
    const problem = findAccessProblem(request, access);
    if (problem === undefined) next();
    else response.status(403).json({ error: problem });
  };
}

const span = z.number();
const duration = z.strictObject({
  milliseconds: span.default(0),
  seconds: span.default(0),
  minutes: span.default(0),
  hours: span.default(0),
  days: span.default(0),
});
const instant = z.strictObject({
  time: z.union([z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)), z.int()], {
    error: 'expected a date like 2024-04-01T12:00:00Z, or Unix milliseconds',
  }),
});

function addClock(router: Router, { clock }: TestControls): void {
  const show = () => ({
    time: new Date(clock.now()).toISOString(),
    frozen: clock.isFrozen,
    offset: clock.offset,
  });
  router.get('/clock', (_request, response) => {
    response.json(show());
  });
  router.put('/clock', (request, response) => {
    clock.set(read(instant, request).time);
    response.json(show());
  });
  router.post('/clock/advance', (request, response) => {
    clock.advance(read(duration, request));
    response.json(show());
  });
  router.post('/clock/freeze', (_request, response) => {
    clock.freeze();
    response.json(show());
  });
  router.post('/clock/unfreeze', (_request, response) => {
    clock.unfreeze();
    response.json(show());
  });
}

function addFaults(router: Router, { faults }: TestControls): void {
  router.get('/faults', (_request, response) => {
    response.json({ faults: faults.list() });
  });
  router.post('/faults', (request, response) => {
    response.status(201).json({ id: faults.inject(request.body ?? {}) });
  });
  router.delete('/faults', (_request, response) => {
    faults.clear();
    response.json({ faults: [] });
  });
  router.delete('/faults/:id', (request, response) => {
    const { id } = request.params;
    if (/^\d+$/.test(id) && faults.cancel(Number(id))) response.json({ faults: faults.list() });
    else response.status(404).json({ error: `there is no fault ${id}` });
  });
}

const STATUS_NAMES = Object.keys(PACKAGE_STATUS);
const verdict = z.strictObject({
  status: z.custom<StatusName>((value) => STATUS_NAMES.includes(String(value)), {
    error: `expected one of ${STATUS_NAMES.join(', ')}`,
  }),
  verifyProgress: z.int().min(0).max(100).optional(),
});

function addState(router: Router, controls: TestControls): void {
  const { clock, faults, forget, notices, purge, refusals, uploads } = controls;
  router.get('/snapshot', async (_request, response) => {
    response.json(await uploads.snapshot());
  });
  router.get('/notices', (_request, response) => {
    response.json({ notices: notices.list() });
  });
  router.post('/purge', async (_request, response) => {
    response.json(await purge());
  });
  router.post('/reset', async (_request, response) => {
    faults.clear();
    notices.clear();
    refusals.clear();
    await uploads.forgetAll();
    await forget();
    clock.reset();
    response.json(await uploads.snapshot());
  });
  router.put('/packages/:firmwareId/status', async (request, response) => {
    const { firmwareId } = request.params;
    const wanted = read(verdict, request);
    if (await uploads.setStatus(firmwareId, wanted)) response.json({ firmwareId, ...wanted });
    else response.status(404).json({ error: `there is no firmware package ${firmwareId}` });
  });
}

function read<T>(schema: z.ZodType<T>, request: Request): T {
  const body: unknown = request.body ?? {};
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new BadControl(explainIssues(result.error));
}
