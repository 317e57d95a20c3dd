import { OperatorError } from '../../operator/errors.ts';
import { refusalFilter, refusalGroupFilter } from '../../operator/filters.ts';
import { formInput } from '../../operator/inputs.ts';
import { refusalGroupsShape } from '../../operator/refusal-shapes.ts';
import { explainedShape, judgedShape, pageOf, refusalShape } from '../../operator/shapes.ts';
import { NOTHING, routesOf } from '../route.ts';
import { callerOf } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';

const route = routesOf<ApiDependencies>();

export const REFUSAL_API_ROUTES = [
  route({
    method: 'get',
    path: '/refusals',
    id: 'listRefusedRequests',
    summary: 'Lists refused requests, newest first.',
    query: refusalFilter,
    body: NOTHING,
    response: pageOf(refusalShape),
    run: ({ refusals }, { query, raw }) => refusals.listRefusals(callerOf(raw).viewer, query),
  }),
  route({
    method: 'get',
    path: '/refusal-groups',
    id: 'groupRefusedRequests',
    summary: 'Groups refused requests by reason, code and operation, those with the newest first.',
    query: refusalGroupFilter,
    body: NOTHING,
    response: refusalGroupsShape,
    run: ({ refusals }, { query, raw }) => refusals.groupRefusals(callerOf(raw).viewer, query),
  }),
  route({
    method: 'get',
    path: '/refusals/{requestId}',
    id: 'explainRefusedRequest',
    summary: 'Explains why a request was refused.',
    params: { requestId: 'the id of the request, or of one that was refused like it' },
    query: NOTHING,
    body: NOTHING,
    response: explainedShape,
    refusals: { 404: 'no refused request has this id' },
    run: async ({ refusals }, { param, raw }) => {
      const requestId = param('requestId');
      const found = await refusals.explainRequest(callerOf(raw).viewer, requestId);
      if (found !== undefined) return found;
      throw noRefusal(requestId);
    },
  }),
  route({
    method: 'post',
    path: '/explain',
    id: 'explainForm',
    summary: 'Judges a form as PostObject does, without a file and without any effect.',
    query: NOTHING,
    body: formInput,
    response: judgedShape,
    refusals: { 404: 'no refused request has this id' },
    run: async ({ refusals }, { body, raw }) => {
      const judged = await refusals.explainForm(callerOf(raw).viewer, body);
      if (judged !== undefined) return judged;
      throw noRefusal(body.requestId ?? '');
    },
  }),
];

function noRefusal(requestId: string): OperatorError {
  return new OperatorError(
    'notFound',
    'RefusalNotFound',
    `no refused request has the id ${requestId}`,
    'those of the IoT API and of OSS are kept for OTA_GATEWAY_REFUSAL_RETENTION, and 20 new ones of an account in a second; those of the operator API are only in the log',
  );
}
