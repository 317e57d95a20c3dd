import { validate } from '@readme/openapi-parser';
import request from 'supertest';
import type { Response } from 'supertest';
import { z } from 'zod';
import { createConsoleRouter } from '../../../src/console/router.ts';
import type { ConsoleDependencies } from '../../../src/console/router.ts';
import { createApiRouter } from '../../../src/ops/api/router.ts';
import type { ApiDependencies, ApiParts } from '../../../src/ops/api/dependencies.ts';
import {
  CONSOLE_ROUTES,
  describeOpenApi,
  OPERATOR_API_ROUTES,
  OPERATOR_ROUTES,
} from '../../../src/ops/openapi.ts';
import { Readiness } from '../../../src/ops/readiness.ts';
import { NOTHING } from '../../../src/ops/route.ts';
import { createOpsRouter } from '../../../src/ops/router.ts';
import { createTestRouter, TEST_ROUTES } from '../../../src/ops/test-controls.ts';
import type { TestControls } from '../../../src/ops/test-controls.ts';
import { wallClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly content: Readonly<
          Record<string, { readonly schema: z.core.JSONSchema.JSONSchema }>
        >;
      }
    >
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Failure: z.core.JSONSchema.JSONSchema } };
}

const text = JSON.stringify(describeOpenApi());
const document: Document = JSON.parse(text);

it('is a valid OpenAPI 3.1 document', async () => {
  expect(await validate(JSON.parse(text))).toEqual({
    valid: true,
    warnings: [],
    specification: 'OpenAPI',
  });
  expect(JSON.parse(text).openapi).toBe('3.1.0');
});

it('is refused by the validator when it is broken', async () => {
  const broken = JSON.parse(text.replace('"summary":', '"summaries":'));
  expect(await validate(broken)).toMatchObject({ valid: false });
});

it('lists 413 and 415 for each test control with a body, and for no other one', () => {
  for (const { body, id, method, path } of TEST_ROUTES) {
    const responses = document.paths[`/test${path}`]?.[method]?.responses ?? {};
    const listed = ['413', '415'].filter((status) => status in responses);
    expect([id, listed]).toEqual([id, body === NOTHING ? [] : ['413', '415']]);
  }
});

describe('the OpenAPI document', () => {
  /** @returns the routes of a router of Express, e.g. `get /clock` */
  function routesOf(router: ReturnType<typeof createTestRouter>): string[] {
    return router.stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : route.stack.map(({ method }) => `${method} ${route.path.replace(/[:*](\w+)/g, '{$1}')}`),
    );
  }

  it('has exactly the routes that exist', () => {
    const unused = {} as unknown as TestControls;
    const checks = { ledger: async () => undefined, store: async () => undefined };
    const api = {} as unknown as ApiDependencies;
    const parts = { config: {}, deps: {}, keys: {}, recording: {} } as unknown as ApiParts;
    const existing = [
      ...routesOf(
        createOpsRouter({
          api: parts,
          gatewayId: 'gateway',
          logger: silentLogger,
          readiness: new Readiness(checks, silentLogger, wallClock),
          metrics: undefined,
          tests: unused,
        }),
      ),
      ...routesOf(createApiRouter(api)).map((route) => route.replace(' ', ' /api')),
      ...routesOf(createTestRouter(unused, (error) => expect(error).toBeUndefined())).map((route) =>
        route.replace(' ', ' /test'),
      ),
      ...routesOf(createConsoleRouter({} as unknown as ConsoleDependencies))
        .map((route) => route.replace(' ', ' /console'))
        .filter((route) => !/\/console\/(?:$|assets)/.test(route)),
    ];
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(existing.length).toBeGreaterThan(20);
    expect(described.sort()).toEqual([...new Set(existing)].sort());
  });

  it('names each operation once', () => {
    const ids = [...OPERATOR_ROUTES, ...OPERATOR_API_ROUTES, ...CONSOLE_ROUTES, ...TEST_ROUTES].map(
      ({ id }) => id,
    );
    expect(ids).toEqual([...new Set(ids)]);
  });
});

describe('the responses', () => {
  let gateway: TestGateway;
  let accessKey: TestGateway['accessKey'];
  let key: string;
  let storedKey: string;
  let firmwareId: string;
  let refusedId: string;
  const seen = new Set<string>();

  beforeAll(async () => {
    gateway = await startTestGateway({ testMode: true });
    ({ accessKey } = gateway);
    const seeded = await gateway.seed({ state: 'claimed' });
    key = seeded.key;
    firmwareId = seeded.firmwareId ?? '';
    for (const state of ['issued', 'stored', 'purging', 'purged'] as const) {
      await gateway.seed({ state });
    }
    storedKey = (await gateway.seed({ state: 'stored' })).key;
    const refused = await gateway.fetch('/none');
    refusedId = refused.headers.get('x-oss-request-id') ?? '';
    gateway.faults.next('PostObject', { resetAfter: 1 });
    // A notice: the name of the field has another case.
    const grant = await gateway.api.generateOTAUploadURL();
    await gateway.postObjectTo((await gateway.listen()).url, grant, 'x').catch(() => undefined);
    gateway.faults.always('PostObject', { delay: { seconds: 1 } }, { rate: 0.5, key: '*.zip' });
  });

  afterAll(() => gateway.close());

  const send = (method: string, path: string, body?: object): Promise<Response> => {
    const agent = request(gateway.app);
    const named = path
      .replace('STORED', encodeURIComponent(storedKey))
      .replace('KEY', key)
      .replace('REFUSED', refusedId);
    const url = `/_gateway${named.replace('FIRMWARE', firmwareId)}`;
    const methods = { get: agent.get, put: agent.put, post: agent.post, delete: agent.delete };
    const start = Object.entries(methods).find(([name]) => name === method)?.[1] ?? agent.get;
    const sent = start.call(agent, url).auth(accessKey.id, accessKey.secret);
    return sent.set('x-gateway-console', '1').send(body);
  };

  /** Compares a response with the schema that the document has for its status. */
  function expectDescribed(method: string, path: string, response: Response): void {
    const { status, type } = response;
    const body = type === 'text/plain' ? response.text : response.body;
    const operation = document.paths[path]?.[method];
    const schema = operation?.responses[String(status)]?.content[type]?.schema;
    const found = schema && '$ref' in schema ? document.components.schemas.Failure : schema;
    const reader = z.fromJSONSchema(found ?? { not: {} });
    expect(reader.safeParse(body).error).toBeUndefined();
    const isOpen = found !== undefined && 'additionalProperties' in found;
    const names = typeof body === 'string' ? [] : Object.keys(body);
    const unknown = names.filter((name) => !JSON.stringify(found).includes(`"${name}"`));
    expect(isOpen ? [] : unknown).toEqual([]);
    seen.add(`${method} ${path}`);
  }

  const cases: readonly [string, string, string, number, object?][] = [
    ['get', '/health/live', '/health/live', 200],
    ['get', '/health/ready', '/health/ready', 200],
    ['get', '/metrics', '/metrics', 200],
    ['get', '/openapi.json', '/openapi.json', 200],
    ['get', '/api/uploads', '/api/uploads', 200],
    ['get', '/api/uploads', '/api/uploads?limit=0', 400],
    ['get', '/api/uploads/{key}', '/api/uploads/KEY', 200],
    ['get', '/api/uploads/{key}', '/api/uploads/none', 404],
    ['post', '/api/grants', '/api/grants', 201, {}],
    ['post', '/api/grants', '/api/grants', 409, { suffix: 'exe' }],
    ['get', '/api/resolve', '/api/resolve?reference=KEY', 200],
    ['get', '/api/resolve', '/api/resolve?reference=none', 404],
    ['get', '/api/packages', '/api/packages', 200],
    ['get', '/api/packages/{firmwareId}', '/api/packages/FIRMWARE', 200],
    ['get', '/api/packages/{firmwareId}/urls', '/api/packages/FIRMWARE/urls', 200],
    ['get', '/api/packages/{firmwareId}/message', '/api/packages/FIRMWARE/message', 200],
    ['post', '/api/packages', '/api/packages', 409, { name: 'a', version: '1', keys: ['none'] }],
    ['delete', '/api/packages/{firmwareId}', '/api/packages/none', 404],
    ['delete', '/api/uploads/{key}', '/api/uploads/KEY', 409],
    ['delete', '/api/uploads/{key}', '/api/uploads/STORED', 200],
    ['post', '/api/purge', '/api/purge', 200, { dryRun: true }],
    ['get', '/api/usage', '/api/usage', 200],
    ['get', '/api/about', '/api/about', 200],
    ['get', '/api/accounts', '/api/accounts', 200],
    ['post', '/api/reload', '/api/reload', 200],
    ['get', '/api/refusals', '/api/refusals', 200],
    ['get', '/api/refusals', '/api/refusals?reason=none', 400],
    ['get', '/api/refusal-groups', '/api/refusal-groups', 200],
    ['get', '/api/refusal-groups', '/api/refusal-groups?last=soon', 400],
    ['get', '/api/refusals/{requestId}', '/api/refusals/REFUSED', 200],
    ['get', '/api/refusals/{requestId}', '/api/refusals/none', 404],
    ['post', '/api/explain', '/api/explain', 200, { fields: { key: 'a' } }],
    ['post', '/api/explain', '/api/explain', 400, { fields: 1 }],
    ['get', '/api/events', '/api/events?types=none', 400],
    ['get', '/console/challenge', '/console/challenge', 200],
    ['get', '/console/session', '/console/session', 200],
    ['post', '/console/session', '/console/session', 400, {}],
    ['delete', '/console/session', '/console/session', 200],
    ['get', '/test/clock', '/test/clock', 200],
    ['put', '/test/clock', '/test/clock', 200, { time: '2024-01-01T00:00:00Z' }],
    ['put', '/test/clock', '/test/clock', 400, { time: 'now' }],
    ['post', '/test/clock/advance', '/test/clock/advance', 200, { seconds: 1 }],
    ['post', '/test/clock/freeze', '/test/clock/freeze', 200],
    ['post', '/test/clock/unfreeze', '/test/clock/unfreeze', 200],
    ['get', '/test/snapshot', '/test/snapshot', 200],
    ['get', '/test/notices', '/test/notices', 200],
    ['get', '/test/refusals', '/test/refusals', 200],
    ['get', '/test/faults', '/test/faults', 200],
    ['post', '/test/faults', '/test/faults', 201, { operation: 'PostObject', loseAnswer: true }],
    ['post', '/test/faults', '/test/faults', 400, { operation: 'None' }],
    ['delete', '/test/faults/{id}', '/test/faults/2', 200],
    ['delete', '/test/faults/{id}', '/test/faults/99', 404],
    ['delete', '/test/faults', '/test/faults', 200],
    [
      'put',
      '/test/packages/{firmwareId}/status',
      '/test/packages/FIRMWARE/status',
      200,
      { status: 'failed' },
    ],
    [
      'put',
      '/test/packages/{firmwareId}/status',
      '/test/packages/1/status',
      404,
      { status: 'failed' },
    ],
    ['post', '/test/grants', '/test/grants', 201, {}],
    ['post', '/test/seed', '/test/seed', 201, { state: 'claimed' }],
    ['get', '/test/uploads/{key}', '/test/uploads/KEY', 200],
    ['get', '/test/uploads/{key}', '/test/uploads/none', 404],
    ['get', '/test/uploads/{key}', '/test/uploads/none?wait=stored&timeout=0.001', 409],
    ['get', '/test/download-url', '/test/download-url?key=KEY', 200],
    ['get', '/test/download-url', '/test/download-url?key=none', 404],
    ['post', '/test/purge', '/test/purge', 200],
    ['post', '/test/reset', '/test/reset', 200],
  ];
  const described = cases.map(([method, path, target, status, body]) => ({
    ...{ method, path, target, status },
    body,
  }));

  it.each(described)('of $method $target ($status) are as described', async (each) => {
    const { body, method, path, status, target } = each;
    const response = await send(method, target, body);
    expect(response.status).toBe(status);
    expectDescribed(method, path, response);
  });

  it('of the operator API to an unknown client are as described', async () => {
    const response = await request(gateway.app).get('/_gateway/api/about').expect(401);
    expectDescribed('get', '/api/about', response);
  });

  it('of every route were compared', () => {
    const all = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('of a gateway without test mode are as described', async () => {
    await using off = await startTestGateway();
    const response = await request(off.app).get('/_gateway/test/clock').expect(403);
    expectDescribed('get', '/test/clock', response);
    const { body } = await request(off.app).get('/_gateway/openapi.json').expect(200);
    expect(body).toEqual(document);
  });
});
