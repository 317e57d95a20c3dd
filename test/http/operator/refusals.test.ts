import { setImmediate } from 'node:timers/promises';
import request from 'supertest';
import type { Response } from 'supertest';
import { explainedShape, pageOf, refusalShape } from '../../../src/operator/shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { signV1 } from '../iot/api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const ANN = { id: 'LTAIann', secret: 'secret-of-ann' };
const BOB = { id: 'LTAIbob', secret: 'secret-of-bob' };
const OPS = { id: 'LTAIops', secret: 'secret-of-ops' };

let gateway: TestGateway;
const lines: string[] = [];
const note = (details: object, text: string): void => {
  lines.push(JSON.stringify({ ...details, text }));
};

beforeAll(async () => {
  gateway = await startTestGateway({
    accessKeyId: ANN.id,
    accessKeySecret: ANN.secret,
    parts: {
      logger: { debug: note, info: note, warn: note, error: note },
      accounts: [
        { id: 'ann', accessKeys: [ANN] },
        { id: 'bob', accessKeys: [BOB] },
        { id: 'ops', accessKeys: [OPS], operator: true },
      ],
    },
  });
});
afterAll(() => gateway.close());

const get = (path: string, key = OPS): Promise<Response> =>
  request(gateway.app).get(`/_gateway/api${path}`).auth(key.id, key.secret);

/** Calls the IoT API as bob. @param time - how much the clock of the client is slow, in milliseconds */
function callV1(
  action: string,
  parameters: Readonly<Record<string, string>>,
  { key = BOB, time = 0 } = {},
): Promise<Response> {
  const pairs = signV1(action, parameters, { key, time: gateway.clock.now() - time });
  return request(gateway.app).get('/').query(pairs);
}

async function lastId(key = OPS): Promise<string> {
  const { body } = await get('/refusals?limit=1', key);
  return pageOf(refusalShape).parse(body).items[0]?.requestId ?? '';
}

async function storyOfLast(): Promise<string> {
  const { body } = await get(`/refusals/${await lastId()}`);
  const { story } = explainedShape.parse(body);
  return JSON.stringify(story);
}

describe('GET /_gateway/api/refusals', () => {
  it('tells the conditions of a form that was refused, with what was sent', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    await gateway.postObject(grant, 'x', { fields: { key: `${grant.key}x` } });
    expect(await storyOfLast()).toContain(`sent key = \\"${grant.key}x\\"`);
  });

  it('finds the mistake of a wrong signature', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    const fields = gateway.formFields(grant);
    const hex = Buffer.from(fields['signature'] ?? '', 'base64').toString('hex');
    await gateway.postObject(grant, 'x', { fields: { signature: hex } });
    const story = await storyOfLast();
    expect(story).toContain('in hexadecimal instead of Base64');
    expect(story).not.toContain(hex);
  });

  it('shows an account only its own', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    await gateway.postObject(grant, 'x', { fields: { policy: 'x' } });
    const id = await lastId(ANN);
    expect((await get(`/refusals/${id}`, ANN)).status).toBe(200);
    expect((await get(`/refusals/${id}`, BOB)).status).toBe(404);
    expect((await get('/refusals', BOB)).body).toEqual({ items: [] });
    expect((await get('/refusals?account=ann&reason=signature_mismatch')).body.items).not.toEqual(
      [],
    );
  });

  it('shows a call to the account of its access key, also when it names the key of another', async () => {
    const { firmwareUrl } = await gateway.api.generateOTAUploadURL();
    const claim = { FirmwareName: 'of-bob', DestVersion: '1', FirmwareUrl: firmwareUrl };
    const { headers } = await callV1('CreateOTAFirmware', claim);
    const id = String(headers['x-acs-request-id']);
    expect((await get(`/refusals/${id}`, BOB)).body.refusal).toMatchObject({
      account: 'bob',
      reason: 'claim_unknown',
    });
    expect((await get(`/refusals/${id}`, ANN)).status).toBe(404);
    expect((await get('/refusals', ANN)).text).not.toContain(id);
  });

  it.each<[string, number, Parameters<typeof callV1>[2]]>([
    ['of a missing file', 200, {}],
    ['with a wrong secret', 400, { key: { ...BOB, secret: 'wrong' } }],
    ['with an old date', 400, { time: 3_600_000 }],
  ])('counts equal calls %s as one, though each has a new nonce', async (name, status, options) => {
    const claim = {
      FirmwareName: name.replaceAll(' ', '-'),
      DestVersion: '1',
      FirmwareUrl: 'http://h/none',
    };
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      gateway.clock.advance({ seconds: 1 });
      const response = await callV1('CreateOTAFirmware', claim, options);
      expect(response.status).toBe(status);
      ids.push(String(response.headers['x-acs-request-id']));
    }
    for (const id of ids) {
      const { body } = await get(`/refusals/${id}`, BOB);
      expect(body.refusal).toMatchObject({ requestId: ids[0], repeats: 4 });
    }
  });

  it('has no secret, right signature or token anywhere, nor has the log', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    const { signature = '' } = gateway.formFields(grant);
    const token = 'token-of-a-stranger';
    const fields = { key: 'other', 'x-oss-security-token': token, callback: 'e30=' };
    await gateway.postObject(grant, 'x', { fields });
    await gateway.fetch(`${gateway.downloadUrl('none')}&security-token=${token}`);
    await request(gateway.app)
      .get('/')
      .query({ Action: 'QueryOTAFirmware', AccessKeyId: ANN.id, SecurityToken: token });
    const list = pageOf(refusalShape).parse((await get('/refusals')).body);
    const stories = await Promise.all(
      list.items.map(async ({ requestId }) => (await get(`/refusals/${requestId}`)).text),
    );
    const everything = [...lines, JSON.stringify(list), ...stories].join('\n');
    for (const secret of [ANN.secret, OPS.secret, signature, token]) {
      expect(everything).not.toContain(secret);
    }
    expect(everything).toContain(ANN.id);
  });
});

describe('the log of the operator API', () => {
  it('has a line for what was changed and for what was refused, with who asked', async () => {
    lines.length = 0;
    await request(gateway.app)
      .post('/_gateway/api/grants')
      .auth(ANN.id, ANN.secret)
      .send({})
      .expect(201);
    await request(gateway.app).delete('/_gateway/api/uploads/none').auth(BOB.id, BOB.secret);
    await request(gateway.app).get('/_gateway/api/usage').auth(BOB.id, 'wrong').expect(401);
    while (lines.filter((line) => line.includes('"operator"')).length < 3) await setImmediate();
    const found = lines.filter((line) => line.includes('"operator"')).join('\n');
    expect(found).toMatch(/"operation":"POST grants","code":"OK","status":201,"account":"ann"/);
    expect(found).toMatch(/"DELETE uploads","code":"UploadNotFound","status":404.*"key":"none"/);
    expect(found).toMatch(/"GET usage","code":"InvalidAccessKeySecret","status":401/);
  });
});
