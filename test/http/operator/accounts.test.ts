import { accountListShape } from '../../../src/operator/account-shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { ANN, BOB, OPS, call, startWithOperator } from './operator-api.ts';

let gateway: TestGateway;

afterEach(() => gateway.close());

it('lists accounts with key ids, limits and use, and without a secret, for an operator', async () => {
  gateway = await startWithOperator({ maxAccountUploads: 9, maxBucketBytes: '1GiB' });
  await call(gateway, BOB, 'post', '/grants').expect(201);
  const { body, text } = await call(gateway, OPS, 'get', '/accounts').expect(200);
  const { bucket, items } = accountListShape.parse(body);
  expect(items.map(({ accessKeys, id, operator }) => ({ id, operator, accessKeys }))).toEqual([
    { id: 'ann', operator: false, accessKeys: [{ id: ANN.id, state: 'active' }] },
    {
      ...{ id: 'bob', operator: false },
      accessKeys: [
        { id: BOB.id, state: 'active' },
        { id: 'off-key', state: 'disabled' },
      ],
    },
    { id: 'ops', operator: true, accessKeys: [{ id: OPS.id, state: 'active' }] },
  ]);
  expect(items[1]).toMatchObject({ limits: { maxUploads: 9 }, used: { uploads: 1, bytes: 0 } });
  expect(bucket).toMatchObject({ limits: { maxBytes: 1024 ** 3 }, used: { uploads: 1 } });
  expect(text).not.toMatch(/secret/i);
});

it.each([
  ['the only one, without a flag', undefined, true],
  ['the only one, marked as no operator', false, false],
])('treats an account as operator or not: %s', async (_what, operator, expected) => {
  const sole = { id: 'sole', ...(operator !== undefined && { operator }), accessKeys: [ANN] };
  gateway = await startWithOperator({ parts: { accounts: [sole] } });
  const { body } = await call(gateway, ANN, 'get', '/about').expect(200);
  expect(body.account.operator).toBe(expected);
  await call(gateway, ANN, 'get', '/accounts').expect(expected ? 200 : 403);
});
