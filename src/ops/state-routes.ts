import { z } from 'zod';
import { BadControl } from './responses.ts';
import { NOTHING, routesOf } from './route.ts';
import { notice, refusal, snapshotShown, statusName } from './schemas.ts';
import type { TestControls } from './test-controls.ts';

const route = routesOf<TestControls>();

const verdict = z.strictObject({
  status: statusName,
  verifyProgress: z.int().min(0).max(100).optional(),
});

export const STATE_ROUTES = [
  route({
    method: 'get',
    path: '/snapshot',
    id: 'getSnapshot',
    summary: 'Returns all uploads and packages.',
    query: NOTHING,
    body: NOTHING,
    response: snapshotShown,
    run: ({ uploads }) => uploads.snapshot(),
  }),
  route({
    method: 'get',
    path: '/notices',
    id: 'listNotices',
    summary: 'Lists the last 1000 requests that OSS would have treated differently.',
    query: NOTHING,
    body: NOTHING,
    response: z.object({ notices: z.array(notice) }),
    run: ({ notices }) => ({ notices: notices.list() }),
  }),
  route({
    method: 'get',
    path: '/refusals',
    id: 'listRefusals',
    summary: 'Lists the last 1000 refused requests.',
    query: NOTHING,
    body: NOTHING,
    response: z.object({ refusals: z.array(refusal) }),
    run: ({ refusals }) => ({ refusals: refusals.list() }),
  }),
  route({
    method: 'post',
    path: '/purge',
    id: 'purge',
    summary: 'Runs the purge job now.',
    query: NOTHING,
    body: NOTHING,
    response: z.object({
      purged: z.int().describe('deleted files'),
      failed: z.int().describe('files that could not be deleted'),
      bytes: z.int().describe('size of the deleted files'),
    }),
    run: ({ purge }) => purge(),
  }),
  route({
    method: 'post',
    path: '/reset',
    id: 'reset',
    summary:
      'Removes uploads, packages, nonces, faults, notices, refusals and samples of the usage, frees quotas, and resets the clock.',
    query: NOTHING,
    body: NOTHING,
    response: snapshotShown,
    run: async ({ clock, faults, forget, notices, refusals, uploads }) => {
      faults.clear();
      notices.clear();
      refusals.clear();
      await uploads.forgetAll();
      await forget();
      clock.reset();
      return uploads.snapshot();
    },
  }),
  route({
    method: 'put',
    path: '/packages/{firmwareId}/status',
    id: 'setPackageStatus',
    summary: 'Sets the verification status of a firmware package, as devices would report it.',
    params: { firmwareId: 'id of the firmware package' },
    query: NOTHING,
    body: verdict,
    response: verdict.extend({ firmwareId: z.string() }),
    refusals: { 404: 'there is no such firmware package' },
    run: async ({ uploads }, { body, param }) => {
      const firmwareId = param('firmwareId');
      if (await uploads.setStatus(firmwareId, body)) return { firmwareId, ...body };
      throw new BadControl(`there is no firmware package ${firmwareId}`, 404);
    },
  }),
];
