import { z } from 'zod';
import { noPackage } from '../../operator/actions.ts';
import { packageFilter } from '../../operator/filters.ts';
import { claimInput, linksInput } from '../../operator/inputs.ts';
import { linkShape, packageShape, pushMessageShape } from '../../operator/package-shapes.ts';
import { pageOf } from '../../operator/shapes.ts';
import { NOTHING, routesOf } from '../route.ts';
import { callerOf } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { hostOf } from './hosts.ts';
import { packageForm } from './package-form.ts';
import { recordOf } from './record-calls.ts';

const route = routesOf<ApiDependencies>();
const idParam = { firmwareId: 'id of the firmware package' };
const missing = { 404: 'there is no such firmware package' };

export const PACKAGE_API_ROUTES = [
  route({
    method: 'get',
    path: '/packages',
    id: 'listPackages',
    summary: 'Lists firmware packages, newest first.',
    query: packageFilter,
    body: NOTHING,
    response: pageOf(packageShape),
    run: ({ queries }, { query, raw }) => queries.listPackages(callerOf(raw).viewer, query),
  }),
  route({
    method: 'post',
    path: '/packages',
    id: 'createPackage',
    summary:
      'Makes a firmware package: of stored uploads (JSON), or of the files in the request (multipart/form-data).',
    query: NOTHING,
    body: claimInput,
    form: packageForm,
    status: 201,
    response: packageShape,
    refusals: {
      409: 'the platform refuses it, with its code; nothing is changed, and no file is kept',
      413: 'a file, or the form, is too large',
      503: 'the disk is full',
    },
    run: async ({ actions }, { body: { keys, ...fields }, raw }) => {
      const record = recordOf(raw);
      record.keys = keys;
      const files = keys.map((key) => ({ key }));
      const made = await actions.claim(callerOf(raw).viewer, fields, files, record.requestId);
      record.from = 'stored';
      record.to = 'claimed';
      return made;
    },
  }),
  route({
    method: 'get',
    path: '/packages/{firmwareId}',
    id: 'showPackage',
    summary: 'Returns a firmware package.',
    params: idParam,
    query: NOTHING,
    body: NOTHING,
    response: packageShape,
    refusals: missing,
    run: async ({ queries }, { param, raw }) => {
      const id = param('firmwareId');
      const found = await queries.showPackage(callerOf(raw).viewer, id);
      if (found === undefined) throw noPackage(id);
      return found;
    },
  }),
  route({
    method: 'delete',
    path: '/packages/{firmwareId}',
    id: 'deletePackage',
    summary: 'Deletes a firmware package and its files, and returns it as it was.',
    params: idParam,
    query: NOTHING,
    body: NOTHING,
    response: packageShape,
    refusals: missing,
    run: async ({ actions }, { param, raw }) => {
      const record = recordOf(raw);
      const { viewer } = callerOf(raw);
      const deleted = await actions.deletePackage(viewer, param('firmwareId'), record.requestId);
      record.keys = deleted.files.map(({ key }) => key);
      record.from = 'claimed';
      record.to = 'purging';
      return deleted;
    },
  }),
  route({
    method: 'get',
    path: '/packages/{firmwareId}/urls',
    id: 'signPackageUrls',
    summary: 'Signs URLs that download the files of a firmware package.',
    params: idParam,
    query: linksInput,
    body: NOTHING,
    response: z.object({ urls: z.array(linkShape) }),
    refusals: missing,
    run: async ({ actions, publicUrl }, { param, query: { expires }, raw }) => {
      const host = hostOf(raw, publicUrl);
      const { viewer } = callerOf(raw);
      return { urls: await actions.links(viewer, param('firmwareId'), expires, host) };
    },
  }),
  route({
    method: 'get',
    path: '/packages/{firmwareId}/message',
    id: 'showPushMessage',
    summary: 'Returns the message that the platform would push to a device for a firmware package.',
    params: idParam,
    query: linksInput,
    body: NOTHING,
    response: pushMessageShape,
    refusals: missing,
    run: ({ actions, publicUrl }, { param, query: { expires }, raw }) => {
      const host = hostOf(raw, publicUrl);
      return actions.message(callerOf(raw).viewer, param('firmwareId'), expires, host);
    },
  }),
];
