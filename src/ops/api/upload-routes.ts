import { z } from 'zod';
import { noUpload } from '../../operator/actions.ts';
import { OperatorError } from '../../operator/errors.ts';
import { uploadFilter } from '../../operator/filters.ts';
import { grantInput } from '../../operator/inputs.ts';
import { keyOfPath } from '../../operator/key-in-path.ts';
import { plainText } from '../../operator/plain-text.ts';
import { pageOf, referenceShape } from '../../operator/shapes.ts';
import { grantShape, uploadHistoryShape, uploadShape } from '../../operator/upload-shapes.ts';
import { NOTHING, routesOf } from '../route.ts';
import { callerOf } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { hostOf } from './hosts.ts';
import { recordOf } from './record-calls.ts';

const route = routesOf<ApiDependencies>();
const keyParam = { key: 'object key, percent-encoded; a slash in front of it is left out' };

export const UPLOAD_API_ROUTES = [
  route({
    method: 'get',
    path: '/uploads',
    id: 'listUploads',
    summary:
      'Lists uploads: in any state, newest first; or those that hold bytes, largest or oldest first.',
    query: uploadFilter,
    body: NOTHING,
    response: pageOf(uploadShape),
    run: ({ queries }, { query, raw }) => queries.listUploads(callerOf(raw).viewer, query),
  }),
  route({
    method: 'get',
    path: '/uploads/{key}',
    id: 'showUpload',
    summary: 'Returns every upload of a key, newest first, and the package that has claimed it.',
    params: keyParam,
    query: NOTHING,
    body: NOTHING,
    response: uploadHistoryShape,
    refusals: { 404: 'there is no such upload' },
    run: async ({ queries }, { param, raw }) => {
      const key = keyOfPath(param('key'));
      const found = await queries.showUpload(callerOf(raw).viewer, key);
      if (found === undefined) throw noUpload(key);
      return found;
    },
  }),
  route({
    method: 'delete',
    path: '/uploads/{key}',
    id: 'deleteUpload',
    summary: 'Deletes a stored upload that no package holds.',
    params: keyParam,
    query: NOTHING,
    body: NOTHING,
    response: uploadHistoryShape,
    refusals: {
      404: 'there is no such upload',
      409: 'a package holds it, or it has no file',
    },
    run: async ({ actions }, { param, raw }) => {
      const key = keyOfPath(param('key'));
      const record = recordOf(raw);
      record.keys = [key];
      const deleted = await actions.deleteUpload(callerOf(raw).viewer, key, record.requestId);
      record.from = 'stored';
      record.to = 'purging';
      return deleted;
    },
  }),
  route({
    method: 'post',
    path: '/grants',
    id: 'signGrant',
    summary: 'Signs a form for one upload, as GenerateOTAUploadURL does.',
    query: NOTHING,
    body: grantInput,
    status: 201,
    response: grantShape,
    refusals: { 409: 'the platform refuses it, with its code', 503: 'the disk is full' },
    run: async ({ actions, publicUrl }, { body, raw }) => {
      const record = recordOf(raw);
      const { requestId } = record;
      const origin = { host: hostOf(raw, publicUrl), requestId };
      const grant = await actions.grant(callerOf(raw).viewer, body, origin);
      record.keys = [grant.key];
      record.to = 'issued';
      return grant;
    },
  }),
  route({
    method: 'get',
    path: '/resolve',
    id: 'resolveReference',
    summary:
      'Finds what a key, the URL of an object, the id or name of a package, or a request id names.',
    query: z.strictObject({ reference: plainText.min(1) }),
    body: NOTHING,
    response: referenceShape,
    refusals: { 404: 'nothing has this name' },
    run: async ({ queries }, { query: { reference }, raw }) => {
      const found = await queries.resolve(callerOf(raw).viewer, reference);
      if (found !== undefined) return found;
      throw new OperatorError('notFound', 'NothingFound', `nothing is named ${reference}`);
    },
  }),
];
