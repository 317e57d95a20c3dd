import request from 'supertest';
import type { Response } from 'supertest';
import { judgedShape } from '../../../src/operator/shapes.ts';
import type { StoryShape } from '../../../src/operator/shapes.ts';
import {
  addCondition,
  policyOf,
  signV1,
  signV4,
  validForm,
  validFormV4,
} from '../oss/post/form.ts';
import type { Form } from '../oss/post/form.ts';
import { OPS, startBench } from './stories/bench.ts';
import type { Bench } from './stories/bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.oss.close());

const ask = (body: object): Promise<Response> =>
  request(bench.oss.gateway.app)
    .post('/_gateway/api/explain')
    .auth(OPS.id, OPS.secret)
    .send(body)
    .then();

interface Told {
  readonly requestId: string;
  readonly toPass: string;
  readonly text: string;
}

async function lastRefusal(): Promise<Told> {
  const found = await bench.lastStory();
  if (found === undefined) throw new Error('nothing was refused');
  const { refusal, story } = found;
  return { requestId: refusal.requestId, toPass: story.toPass, text: textOf(story) };
}

function textOf({ headline, lines }: StoryShape): string {
  const texts = lines.flatMap(({ details = [], mark, text }) => [`${mark}|${text}`, ...details]);
  return [headline, ...texts].join('\n');
}

async function judged(body: object): Promise<{ accepted: boolean; text: string }> {
  const response = await ask(body);
  expect(response.status).toBe(200);
  const { accepted, story } = judgedShape.parse(response.body);
  return { accepted, text: textOf(story) };
}

/** The fields of a form of version 1. */
function fieldsOf(form: Form): Record<string, string> {
  const policy = policyOf(form);
  const signed = { policy, OSSAccessKeyId: 'bucketid', Signature: signV1(policy) };
  return { ...Object.fromEntries([...form.fields].map(([n, v]) => [n, String(v)])), ...signed };
}

describe('a refused form that is judged again', () => {
  it('has its wrong signature under the name of its version', async () => {
    await bench.formV4((form) => form.fields.set('x-oss-signature', '0'.repeat(64)));
    const { requestId, text: told } = await lastRefusal();
    const { accepted, text } = await judged({ fields: {}, requestId });
    expect([accepted, text]).toEqual([false, expect.stringContaining('SignatureDoesNotMatch')]);
    for (const story of [told, text]) expect(story).toContain('none of the known mistakes');
  });

  it.each([
    ['V1', validForm],
    ['V4', validFormV4],
  ])('keeps no right signature, which is said instead of checked (%s)', async (_, make) => {
    const form = make();
    form.fields.set('key', 'other');
    await bench.oss.post(form);
    const { requestId } = await lastRefusal();
    const same = await judged({ fields: {}, requestId });
    expect(same.accepted).toBe(false);
    expect(same.text).toContain('condition_failed');
    expect(same.text).toContain('met|the signature was right when the request was refused');
    const mended = await judged({ fields: { key: 'dir/firmware.bin' }, requestId });
    expect(mended).toMatchObject({ accepted: true });
    const policy = policyOf({ ...form, policy: { ...form.policy, more: 1 } });
    const changed = await judged({ fields: { key: 'dir/firmware.bin', policy }, requestId });
    expect(changed.text).toContain('would accept this form if its signature is right');
  });

  it('is refused with 409 when the request is no form, or too little of it is kept', async () => {
    await bench.call('QueryOTAFirmware', { FirmwareId: 'none' });
    const call = await ask({ fields: {}, requestId: (await lastRefusal()).requestId });
    expect([call.status, call.body.error.code]).toEqual([409, 'NotAForm']);
    await bench.form((form) => form.fields.set('key', 'other').set('callback', 'e30='));
    const form = await ask({ fields: {}, requestId: (await lastRefusal()).requestId });
    expect([form.status, form.body.error.code]).toEqual([409, 'FormNotKept']);
    expect(form.body.error.message).toContain('not whole: callback');
  });
});

describe('a large form that is judged', () => {
  it('has all its fields and its whole policy', async () => {
    const form = validForm();
    const names = Array.from({ length: 40 }, (_, n) => `x-oss-meta-f${String(n)}`);
    for (const name of names) {
      form.fields.set(name, 'v'.repeat(100));
      addCondition(form, ['eq', `$${name}`, 'v'.repeat(100)]);
    }
    const { accepted, text } = await judged({ fields: fieldsOf(form) });
    expect(accepted).toBe(true);
    expect(text).toContain('met|["eq", "$x-oss-meta-f39"');
    expect(text).not.toContain('notMet');
    expect(text).not.toContain('kept');
    form.fields.set('x-oss-meta-f39', `${'v'.repeat(100)}...`);
    const other = await judged({ fields: fieldsOf(form) });
    expect(other.text).toContain('first difference at character 101: "." instead of the end');
  });
});

describe('the story of a refused request', () => {
  it('judges a value that was sent with dots at its end', async () => {
    await bench.form((form) => form.fields.set('key', 'abc...'));
    expect((await lastRefusal()).text).toContain('sent key = "abc..."; first difference');
  });

  it.each(['why? because', 'see http://h/x?a=b', 'v'.repeat(300)])(
    'does not judge a value that is not kept whole: %j',
    async (value) => {
      await bench.form((form) => {
        form.fields.set('x-oss-meta-a', value).set('key', 'other');
        addCondition(form, ['eq', '$x-oss-meta-a', value]);
      });
      const { text } = await lastRefusal();
      expect(text).toContain('the value of x-oss-meta-a is not kept whole');
      expect(text).toContain('1 of ');
    },
  );

  it('does not call a field missing that may not be kept', async () => {
    await bench.form((form) => {
      form.fields.set('key', 'other');
      for (let n = 0; n < 40; n += 1) form.fields.set(`x-oss-meta-f${String(n)}`, 'v');
      addCondition(form, ['eq', '$x-oss-meta-f39', 'v']);
    });
    expect((await lastRefusal()).text).toContain(
      'x-oss-meta-f39 was not sent, or is not among the fields that are kept',
    );
  });

  it.each([
    [
      (policy: string) => Buffer.from(signV4(policy), 'hex').toString('base64'),
      'in Base64 instead',
    ],
    [(policy: string) => signV4(`${policy}\n`), 'with a line break at its end'],
    [(policy: string) => signV4(policy, '20260102', 'oss-cn-shanghai'), 'with the prefix oss-'],
    [(policy: string) => signV1(policy), 'with the secret itself instead of the key derived'],
  ])('finds the mistake of a signature of version 4: %#', async (sign, expected) => {
    await bench.formV4((form) => form.fields.set('x-oss-signature', sign(policyOf(form))));
    expect((await lastRefusal()).text).toContain(expected);
  });

  it('sees that a policy was sent with line breaks', async () => {
    const broken = (form: Form): string => policyOf(form).replace(/.{76}/g, '$&\r\n');
    await bench.form((form) => {
      form.fields.set('policy', broken(form)).set('Signature', signV1(policyOf(form)));
    });
    const unsigned = await lastRefusal();
    expect(unsigned.text).toContain('the policy was sent with line breaks');
    expect(unsigned.text).toContain('without the line breaks that were sent');
    await bench.form((form) => form.fields.set('policy', broken(form)));
    const signed = await lastRefusal();
    expect(signed.text).toContain('the policy was sent with line breaks');
    expect(signed.text).not.toContain('notMet');
  });

  it('names the size that the policy allows', async () => {
    await bench.form((form) => (form.file = 'x'.repeat(1001)));
    expect((await lastRefusal()).text).toContain('allowed at most 1,000 bytes by the policy');
    await bench.form((form) => (form.file = 'x'.repeat(99_000)));
    expect((await lastRefusal()).text).toContain('allowed at most 1,000 bytes by the policy');
  });

  it('says to upload first when a URL is claimed that nothing was posted to', async () => {
    const { firmwareUrl } = await bench.oss.gateway.apiAs(OPS).generateOTAUploadURL();
    await bench.claim(firmwareUrl);
    expect((await lastRefusal()).toPass).toContain('post a file to it first');
  });

  it('has no advice about forms for a call that was signed with a wrong secret', async () => {
    await bench.call('ListOTAFirmware', {}, { key: { ...OPS, secret: 'wrong' } });
    expect((await lastRefusal()).toPass).not.toContain('form');
  });
});
