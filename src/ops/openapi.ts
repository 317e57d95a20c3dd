import { z } from 'zod';
import {
  PAGE_HEADER,
  challengeShape,
  sessionStateShape,
  signInInput,
  signOutInput,
  signedInShape,
} from '../console/shapes.ts';
import { errorShape } from '../operator/shapes.ts';
import { eventQuery } from './api/events.ts';
import { API_ROUTES } from './api/router.ts';
import { NOTHING } from './route.ts';
import type { RouteDescription } from './route.ts';
import { failure } from './schemas.ts';
import { TEST_ROUTES } from './test-controls.ts';

const READY = z.object({
  status: z.enum(['ready', 'not ready']),
  uploads: z.enum(['accepted', 'refused: disk']).optional(),
  ledger: z.literal('ok').optional().describe('only with a store in the network'),
  store: z
    .string()
    .optional()
    .describe(
      'of a store in the network: ok, or failing since when; it does not decide the status',
    ),
  reason: z
    .enum(['diskFull', 'ledgerUnusable', 'storeUnusable', 'clockDiffers', 'stopping'])
    .optional(),
  message: z.string().optional(),
});

/** The routes under `/_gateway` that are always there. */
export const OPERATOR_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/health/live',
    id: 'getLiveness',
    summary: 'Responds while the process can handle requests.',
    query: NOTHING,
    body: NOTHING,
    response: z.object({
      status: z.literal('live'),
      gatewayId: z.string().describe('differs for each start of a gateway'),
    }),
  },
  {
    method: 'get',
    path: '/health/ready',
    id: 'getReadiness',
    summary: 'Responds whether the gateway can serve requests.',
    query: NOTHING,
    body: NOTHING,
    response: READY,
    refusals: { 503: 'it cannot; the log says why' },
    refusal: READY,
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Returns the metrics in the text format of Prometheus.',
    query: NOTHING,
    body: NOTHING,
    response: z.string(),
    mediaType: 'text/plain',
    refusals: {
      401: 'there is a token, and the request does not have it',
      403: 'there is no token, and the request does not come directly from this machine',
      404: 'the metrics are off',
    },
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'Returns this document.',
    query: NOTHING,
    body: NOTHING,
    response: z.looseObject({ openapi: z.string() }),
  },
];

/** Why any test control may be refused. */
const TEST_REFUSALS = {
  403: 'test mode is off, or the client may not use it',
  500: 'an internal failure; the log has its cause',
};
const BAD_REQUEST = { 400: 'the request is not valid' };
/** Why a request with a body may be refused, too. */
const BAD_BODY = {
  413: 'the body has more than 64 KB',
  415: 'the body is compressed, or in another charset',
};

/** Why any request to the operator API may be refused. */
const API_REFUSALS = {
  401: 'the request is not authenticated, or its access key may not be used',
  403: 'only an operator may do this; or Basic is neither from this machine nor over HTTPS',
  500: 'an internal failure; the log has its cause',
};

/** The stream of events, whose response is not JSON. */
const EVENT_ROUTE: RouteDescription = {
  method: 'get',
  path: '/events',
  id: 'watchEvents',
  summary:
    'Sends events as they happen (text/event-stream): upload, package, usage, request, refusal; lost: some are gone, read the lists again; moved: another stream of the same session has its place, do not connect again by yourself.',
  query: eventQuery,
  body: NOTHING,
  mediaType: 'text/event-stream',
  response: z.string(),
  refusals: { 429: 'too many clients listen already', 503: 'the gateway stops' },
};

/** The routes of the operator API. */
export const OPERATOR_API_ROUTES: readonly RouteDescription[] = [...API_ROUTES, EVENT_ROUTE];

const REFUSED_PAGE = { 403: 'the request may come from another page' };

/** The session of the console; its files are not described. docs/security.md has how it is protected. */
export const CONSOLE_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/challenge',
    id: 'getChallenge',
    summary: 'Returns a challenge for a sign-in.',
    query: NOTHING,
    body: NOTHING,
    response: challengeShape,
  },
  {
    method: 'get',
    path: '/session',
    id: 'getSession',
    summary: 'Describes the session whose cookie the request has.',
    query: NOTHING,
    body: NOTHING,
    response: sessionStateShape,
    refusals: REFUSED_PAGE,
  },
  {
    method: 'post',
    path: '/session',
    id: 'signIn',
    summary: `Begins a session of 8 hours: sets its cookie, which the operator API accepts. Needs the header ${PAGE_HEADER}: 1, as each change with the cookie does.`,
    query: NOTHING,
    body: signInInput,
    status: 201,
    response: signedInShape,
    refusals: {
      ...REFUSED_PAGE,
      401: 'a wrong proof, an access key that may not be used, or a challenge that is old or used',
      429: 'too many failures; Retry-After says how long to wait',
    },
  },
  {
    method: 'delete',
    path: '/session',
    id: 'signOut',
    summary: 'Ends the session, and removes its cookie.',
    query: NOTHING,
    body: signOutInput,
    response: sessionStateShape,
    refusals: REFUSED_PAGE,
  },
];

/** An OpenAPI document; plain JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** Describes everything under `/_gateway` as OpenAPI 3.1, from the tables and schemas that the routes use. */
export function describeOpenApi(): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'OTA Upload Gateway: health, operator API, console and test controls',
      version: '1.0.0',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'docs/operator-api.md shows how requests to the operator API are authenticated. The test controls exist in test mode only, see docs/test-mode.md. Bodies are JSON, regardless of their Content-Type, unless they are forms.',
    },
    servers: [{ url: '/_gateway' }],
    tags: [{ name: 'operation' }, { name: 'operator' }, { name: 'console' }, { name: 'test' }],
    paths: pathsOf([
      ...OPERATOR_ROUTES.map((route) => ({ route, tag: 'operation' })),
      ...OPERATOR_API_ROUTES.map((route) => ({
        tag: 'operator',
        route: {
          ...route,
          path: `/api${route.path}`,
          refusal: errorShape,
          refusals: { ...badRequestOf(route), ...API_REFUSALS, ...route.refusals },
        },
      })),
      ...CONSOLE_ROUTES.map((route) => ({
        tag: 'console',
        route: {
          ...route,
          path: `/console${route.path}`,
          refusal: errorShape,
          refusals: { ...badRequestOf(route), ...route.refusals },
        },
      })),
      ...TEST_ROUTES.map((route) => ({
        tag: 'test',
        route: {
          ...route,
          path: `/test${route.path}`,
          refusals: {
            ...badRequestOf(route),
            ...TEST_REFUSALS,
            ...(route.body === NOTHING ? {} : BAD_BODY),
            ...route.refusals,
          },
        },
      })),
    ]),
    components: { schemas: { Failure: schemaOf(failure) } },
  };
}

function badRequestOf({ body, query }: RouteDescription): Readonly<Record<number, string>> {
  return body === NOTHING && query === NOTHING ? {} : BAD_REQUEST;
}

interface TaggedRoute {
  readonly route: RouteDescription;
  readonly tag: string;
}

function pathsOf(routes: readonly TaggedRoute[]): Readonly<Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const { route, tag } of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, tag) };
  }
  return paths;
}

function operationOf(route: RouteDescription, tag: string): object {
  const { body, form, id, params = {}, query, refusal, refusals = {}, response } = route;
  const { mediaType = JSON_TYPE, status, summary } = route;
  const parameters = [
    ...Object.entries(params).map(([name, description]) => ({
      ...{ name, in: 'path', required: true, description },
      schema: { type: 'string' },
    })),
    ...queryParameters(query),
  ];
  const refused = refusal === undefined ? FAILURE : schemaOf(refusal);
  const others = Object.entries(refusals).map(
    ([code, description]) => [code, { description, content: jsonOf(refused) }] as const,
  );
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== NOTHING && {
      requestBody: { content: { ...jsonOf(schemaOf(body)), ...formOf(form) } },
    }),
    responses: {
      [String(status ?? 200)]: {
        description: 'success',
        content: { [mediaType]: { schema: schemaOf(response) } },
      },
      ...Object.fromEntries(others),
    },
  };
}

const FAILURE = { $ref: '#/components/schemas/Failure' };

const JSON_TYPE = 'application/json';

function jsonOf(schema: object): object {
  return { [JSON_TYPE]: { schema } };
}

function formOf(form: z.ZodType | undefined): object {
  return form === undefined ? {} : { 'multipart/form-data': { schema: schemaOf(form) } };
}

function schemaOf(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const json = z.toJSONSchema(schema, { io: 'input' });
  delete json.$schema;
  return json;
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = schemaOf(query);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = typeof property === 'boolean' ? {} : property;
    return {
      ...{ name, in: 'query', required: required.includes(name) },
      ...(description !== undefined && { description }),
      schema,
    };
  });
}
