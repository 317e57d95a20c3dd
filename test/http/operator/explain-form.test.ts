import { createHmac } from 'node:crypto';
import request from 'supertest';
import type { Response } from 'supertest';
import { judgedShape } from '../../../src/operator/shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { ANN, BASE, BOB, startWithOperator } from './operator-api.ts';
import type { Key } from './operator-api.ts';

let gateway: TestGateway;
let fields: Record<string, string>;

beforeAll(async () => {
  gateway = await startWithOperator();
  const grant = await gateway.apiAs(ANN).generateOTAUploadURL();
  fields = gateway.formFields(grant);
});
afterAll(() => gateway.close());

const explain = (body: object, key: Key = ANN): Promise<Response> =>
  request(gateway.app).post(`${BASE}/explain`).auth(key.id, key.secret).send(body).then();

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function judged(change: Readonly<Record<string, string>>): Promise<string[]> {
  const { body } = await explain({ fields: { ...fields, ...change } });
  const { accepted, story } = judgedShape.parse(body);
  const lines = story.lines.flatMap(({ details = [], mark, text }) => [
    `${mark}|${text}`,
    ...details,
  ]);
  return [String(accepted), ...lines, story.toPass];
}

describe('POST /_gateway/api/explain', () => {
  it('accepts a form as it was issued, says that each condition is met, and stores nothing', async () => {
    const lines = await judged({});
    expect(lines).toEqual(
      expect.arrayContaining([
        'true',
        'met|the signature is right',
        'met|["eq", "$bucket", "iotx-ota"]',
        `met|["eq", "$key", "${fields['key'] ?? ''}"]`,
      ]),
    );
    expect((await gateway.snapshot()).uploads).toMatchObject([{ state: 'issued' }]);
    expect(gateway.refusals()).toEqual([]);
  });

  it('shows what was sent under the condition that is not met', async () => {
    const lines = await judged({ key: `${fields['key'] ?? ''}x` });
    expect(lines).toContain('false');
    expect(lines).toContain('met|the signature is right');
    expect(lines).toContain(`notMet|["eq", "$key", "${fields['key'] ?? ''}"]`);
    expect(lines.join('\n')).toMatch(/first difference at character \d+: "x" instead of the end/);
  });

  it('shows the conditions and the known mistake of a form with a wrong signature', async () => {
    const { policy = '' } = fields;
    const signature = createHmac('sha1', ANN.secret).update(policy).digest('base64');
    const text = (await judged({ signature })).join('\n');
    expect(text).toContain('with the secret of account key');
    expect(text).toContain('met|["eq", "$bucket", "iotx-ota"]');
    const other = createHmac('sha1', BOB.secret).update(policy).digest('base64');
    expect((await judged({ signature: other })).join('\n')).toContain('none of the known mistakes');
  });

  it('says when a form has expired', async () => {
    const now = gateway.clock.now();
    gateway.clock.advance({ seconds: 61 });
    const text = (await judged({})).join('\n');
    gateway.clock.set(now);
    expect(text).toContain('arrived 2024-01-01T00:01:01.000Z, 1.0 s after that');
    expect(text).toContain(`met|["eq", "$key"`);
  });

  it('takes the fields of a refused request that its account sees', async () => {
    const grant = await gateway.apiAs(ANN).generateOTAUploadURL();
    await gateway.postObject(grant, 'x', { fields: { policy: 'x' } });
    const requestId = gateway.refusals().at(-1)?.requestId ?? '';
    const changed = { fields: { Policy: grant.policy, Signature: grant.signature }, requestId };
    expect((await explain(changed)).body).toMatchObject({ accepted: true });
    expect((await explain(changed, BOB)).status).toBe(404);
    expect((await explain({ fields: {}, requestId: 'none' })).status).toBe(404);
  });

  it.each([
    ['x-oss-object-acl', 'bogus'],
    ['x-oss-object-acl', 'public-read'],
    ['x-oss-server-side-encryption', 'ROT13'],
    ['x-oss-storage-class', 'Cheap'],
    ['success_action_redirect', 'ftp://x'],
    ['callback', '!!!'],
    ['callback', base64('{"callbackUrl":"http://10.1.2.3/","callbackBody":"a=1"}')],
    ['callback', base64('{"callbackUrl":"http://127.0.0.1:1/","callbackBody":""}')],
    ['x-oss-meta-a', 'a\u0000'],
  ])('refuses what PostObject refuses: %s=%s', async (name, value) => {
    const grant = await gateway.apiAs(ANN).generateOTAUploadURL();
    const form = { ...gateway.formFields(grant), [name]: value };
    const response = await gateway.postObject(grant, 'x', { fields: { [name]: value } });
    const code = gateway.refusals().at(-1)?.code ?? '';
    expect(response.status).toBeGreaterThanOrEqual(400);
    const { accepted, story } = judgedShape.parse((await explain({ fields: form })).body);
    expect(accepted).toBe(false);
    expect(story.headline).toContain(`would be refused with ${String(response.status)} ${code}`);
    expect(story.lines).toContainEqual({ mark: 'met', text: 'the signature is right' });
  });

  it('refuses a form that has too much', async () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${String(n)}`, 'x']));
    expect((await explain({ fields: many })).status).toBe(400);
    expect((await explain({ fields: { a: 'x'.repeat(65_536) } })).status).toBe(413);
    expect((await explain({ fields: { a: 1 } })).status).toBe(400);
    expect((await explain({})).status).toBe(400);
  });
});
