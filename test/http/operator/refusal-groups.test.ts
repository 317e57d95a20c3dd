import request from 'supertest';
import type { Response } from 'supertest';
import { ManualClock } from '../../../src/lib/clock.ts';
import { refusalGroupsShape } from '../../../src/operator/refusal-shapes.ts';
import type { RefusalGroupsShape } from '../../../src/operator/refusal-shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

const ANN = { id: 'LTAIann', secret: 'secret-of-ann' };
const BOB = { id: 'LTAIbob', secret: 'secret-of-bob' };
const OPS = { id: 'LTAIops', secret: 'secret-of-ops' };

let gateway: TestGateway;
const wallClock = new ManualClock();

beforeAll(async () => {
  gateway = await startTestGateway({
    accessKeyId: ANN.id,
    accessKeySecret: ANN.secret,
    parts: {
      wallClock,
      accounts: [
        { id: 'ann', accessKeys: [ANN] },
        { id: 'bob', accessKeys: [BOB] },
        { id: 'ops', accessKeys: [OPS], operator: true },
      ],
    },
  });
  const grant = await gateway.api.generateOTAUploadURL();
  for (const data of ['a', 'b']) {
    await gateway.postObject(grant, data, { fields: { policy: 'x' } });
  }
  wallClock.advance({ hours: 1 });
  await request(gateway.app).get('/no-such-object');
});
afterAll(() => gateway.close());

const get = (query: string, key = OPS): Promise<Response> =>
  request(gateway.app).get(`/_gateway/api/refusal-groups${query}`).auth(key.id, key.secret);

async function groups(query: string, key = OPS): Promise<RefusalGroupsShape['items']> {
  return refusalGroupsShape.parse((await get(query, key)).body).items;
}

const OF_ANN = {
  ...{ reason: 'signature_mismatch', code: 'SignatureDoesNotMatch', operation: 'PostObject' },
  count: 2,
};

describe('GET /_gateway/api/refusal-groups', () => {
  it('groups the refusals of all accounts for an operator, those with the newest first', async () => {
    const [newest, other, ...rest] = await groups('');
    expect(newest).toMatchObject({ count: 1, operation: 'GetObject' });
    expect(other).toMatchObject({ ...OF_ANN, who: { count: 1, names: ['ann'] } });
    expect(rest).toEqual([]);
    expect(await groups('?account=ann')).toMatchObject([OF_ANN]);
  });

  it('groups for an account only its own', async () => {
    const [own, ...rest] = await groups('', ANN);
    expect(own).toMatchObject(OF_ANN);
    expect(own?.who.names).not.toContain('ann');
    expect(rest).toEqual([]);
    expect(await groups('', BOB)).toEqual([]);
    expect(await groups('?account=ann', BOB)).toEqual([]);
  });

  it('groups those of the last time by the clock of the machine', async () => {
    expect(await groups('?last=1h')).toHaveLength(2);
    expect(await groups('?last=59m')).toHaveLength(1);
    expect((await get('?last=soon')).status).toBe(400);
  });
});
