import type { Request } from 'express';
import { z } from 'zod';
import { formFields } from '../client/post-object.ts';
import type { SeedResult } from '../client/seed.ts';
import { requestHost } from '../http/public-host.ts';
import { downloadUrl } from '../signatures/download-url.ts';
import { BadControl } from './responses.ts';
import { NOTHING, routesOf } from './route.ts';
import { grantShown, grantWanted, seededShown, seedWanted, time, uploadShown } from './schemas.ts';
import type { TestControls } from './test-controls.ts';

const route = routesOf<TestControls>();

/** Where the test controls are, below the gateway. */
const MOUNT = /\/_gateway\/test$/;

/** @returns the address of the gateway as the client of a test control sees it */
function hostOf({ access: { publicUrl } }: TestControls, request: Request): string {
  return publicUrl ?? requestHost(request, undefined) + request.baseUrl.replace(MOUNT, '');
}

function show(
  controls: TestControls,
  { firmwareId, grant, key }: SeedResult,
  raw: Request,
): z.output<typeof seededShown> {
  const host = hostOf(controls, raw);
  return {
    host,
    key,
    fields: Object.fromEntries(formFields(grant)),
    firmwareUrl: `${host}/${key}`,
    ...(firmwareId !== undefined && { firmwareId }),
  };
}

const seconds = z.coerce.number<string>().positive();

/** The longest time that a client can wait, in seconds. */
const MAX_WAIT = 300;

const waitQuery = z.strictObject({
  wait: z
    .enum(['stored', 'claimed', 'purged'], 'expected stored, claimed or purged')
    .optional()
    .describe('waits until the upload has reached this state; `stored`: it has, or had, a file'),
  timeout: seconds.max(MAX_WAIT).default(10).describe('for how long, in seconds of real time'),
});

const downloadQuery = z.strictObject({
  key: z.string().min(1),
  expires: seconds
    .max(10 * 365 * 86_400)
    .default(86_400)
    .describe('for how long the URL is valid, in seconds of the clock of the gateway'),
});

export const UPLOAD_ROUTES = [
  route({
    method: 'post',
    path: '/grants',
    id: 'createGrant',
    summary: 'Signs a form for one upload, as GenerateOTAUploadURL does.',
    query: NOTHING,
    body: grantWanted,
    status: 201,
    response: grantShown,
    run: async (controls, { body: { accessKeyId, ...upload }, raw }) =>
      show(controls, await controls.seed({ state: 'issued', upload, accessKeyId }), raw),
  }),
  route({
    method: 'post',
    path: '/seed',
    id: 'seedUpload',
    summary: 'Makes an upload in any state and of any age. The clock is set back while it is made.',
    query: NOTHING,
    body: seedWanted,
    status: 201,
    response: seededShown,
    run: async (controls, { body: { base64, text, ...wanted }, raw }) => {
      const bytes = base64 === undefined ? text : Buffer.from(base64, 'base64');
      return show(controls, await controls.seed({ ...wanted, bytes }), raw);
    },
  }),
  route({
    method: 'get',
    path: '/uploads/{key}',
    id: 'getUpload',
    summary: 'Returns an upload as the snapshot shows it; can wait until it has reached a state.',
    params: { key: 'object key; its slashes may be percent-encoded' },
    query: waitQuery,
    body: NOTHING,
    response: uploadShown,
    refusals: {
      404: 'there is no such upload',
      409: 'the upload has not reached the state in time',
      429: 'too many requests wait already',
      503: 'the gateway stops',
    },
    run: async ({ waits }, { param, query: { timeout, wait }, raw }) => {
      const key = param('key');
      if (wait !== undefined) {
        return waits.wait(key, wait, { socket: raw.socket, timeout: timeout * 1000 });
      }
      const found = await waits.find(key);
      if (found === undefined) throw new BadControl(`there is no upload ${key}`, 404);
      return found;
    },
  }),
  route({
    method: 'get',
    path: '/download-url',
    id: 'getDownloadUrl',
    summary: 'Signs a URL that downloads the file of an upload.',
    query: downloadQuery,
    body: NOTHING,
    response: z.object({ key: z.string(), url: z.string(), expiresAt: time }),
    refusals: { 404: 'there is no such file' },
    run: async (controls, { query: { expires, key }, raw }) => {
      const { bucket, bucketKey, clock, waits } = controls;
      const state = (await waits.find(key))?.state;
      if (state !== 'stored' && state !== 'claimed') {
        throw new BadControl(`there is no file: ${state ?? 'no upload'} ${key}`, 404);
      }
      // A signature has whole seconds.
      const expiresAt = Math.floor(clock.now() / 1000 + expires) * 1000;
      const url = downloadUrl(bucketKey, { bucket, key, host: hostOf(controls, raw) }, expiresAt);
      return { key, url, expiresAt: new Date(expiresAt).toISOString() };
    },
  }),
];
