import { exchangeRaw, rawRequest, refusalLimit } from '../../../support/raw-exchange.ts';
import { BUCKET_KEY, NOW, policyOf, validForm, writeForm } from '../post/form.ts';
import type { Form } from '../post/form.ts';
import { startOss } from '../post/start.ts';
import type { Oss } from '../post/start.ts';

const DATE = new Date(NOW).toUTCString();
const DATE_V4 = '20260102T030405Z';
const CREDENTIAL = `${BUCKET_KEY.id}/20260102/cn-shanghai/oss/aliyun_v4_request`;

/** Text that grows when it is escaped, written in hexadecimal, or replaced by U+FFFD. */
const FILLERS: readonly (readonly [string, string])[] = [
  ['bytes that are not UTF-8', '\xff'],
  ['apostrophes', "'"],
  ['quotes', '"'],
  ['ampersands', '&'],
  ['letters', 'a'],
  ['escaped apostrophes', '%27'],
  ['escaped control characters', '%01'],
];

describe('a refusal of OSS', () => {
  let oss: Oss;

  beforeAll(async () => (oss = await startOss({ publicUrl: 'http://ota.example' })));
  afterAll(() => oss.close());

  const expectSmall = async (request: Buffer): Promise<string> => {
    const response = await exchangeRaw(oss.port, request);
    expect(response.length).toBeLessThanOrEqual(refusalLimit(request));
    return response.toString('latin1');
  };

  describe.each(FILLERS)('of a request with many %s', (_, filler) => {
    const text = (length: number): string => filler.repeat(Math.floor(length / filler.length));
    const LENGTHS = [500, 2000, 8000, 20_000, 50_000];

    it.each(LENGTHS)('is little more than its headers of version 1: %i bytes', async (length) => {
      const headers = {
        Host: text(length / 5),
        Date: DATE,
        'x-oss-meta-a': text((length * 4) / 5),
        Authorization: `OSS ${BUCKET_KEY.id}:x`,
      };
      expect(await expectSmall(rawRequest('GET /k', headers))).toContain('SignatureDoesNotMatch');
    });

    it.each(LENGTHS)('is little more than its headers of version 4: %i bytes', async (length) => {
      const headers = {
        Host: 'h',
        'x-oss-date': DATE_V4,
        'x-oss-meta-a': text(length),
        Authorization:
          `OSS4-HMAC-SHA256 Credential=${CREDENTIAL},` +
          `AdditionalHeaders=host${';host'.repeat(100)},Signature=x`,
      };
      expect(await expectSmall(rawRequest('GET /k', headers))).toContain('SignatureDoesNotMatch');
    });

    it.each(LENGTHS)('is little more than its URL: %i bytes', async (length) => {
      const signed = `OSSAccessKeyId=${BUCKET_KEY.id}&Expires=9999999999&Signature=x`;
      const value = text(length).replaceAll('&', '%26');
      const queries = [
        `${signed}&response-content-type=${value}`,
        `OSSAccessKeyId=${value}&Expires=9999999999&Signature=x`,
        `x-oss-signature-version=${value}`,
      ];
      for (const query of queries) {
        await expectSmall(rawRequest(`GET /k?${query}`, { Host: 'h' }));
      }
      await expectSmall(rawRequest(`GET /${value}`, { Host: 'h' }));
      await expectSmall(rawRequest(`POST /${value}`, { Host: 'h' }));
    });

    it('is little more than the names and values of its form', async () => {
      const forms: ((form: Form) => void)[] = [
        (form) => form.fields.set('Signature', text(500_000)),
        (form) => form.fields.set('OSSAccessKeyId', text(500_000)),
        (form) => form.fields.set('policy', text(500_000)).set('Signature', 'x'),
        (form) => form.fields.set('x-oss-object-acl', text(500_000)),
        (form) => form.fields.set('success_action_redirect', text(500_000)),
        (form) => form.fields.set('success_action_redirect', `http://h/${text(500_000)}`),
        (form) => form.fields.set('callback', text(500_000)),
        (form) => {
          form.policy.conditions = [{ bucket: text(500_000) }];
        },
        (form) => {
          form.policy.conditions = [['eq', `$${text(400_000)}`, '']];
        },
        (form) => {
          form.fileHeaders = [
            `Content-Disposition: form-data; name="file"; filename="${text(9000)}"`,
          ];
          form.fields.set('key', '${filename}');
        },
        ({ before }) => {
          const name = text(8000).replaceAll('"', '%');
          const part = { headers: [`Content-Disposition: form-data; name="${name}"`], body: '' };
          before.push(part, part);
        },
      ];
      for (const change of forms) {
        const form = validForm();
        change(form);
        const { body, headers } = writeForm(form);
        await expectSmall(rawRequest('POST /', { Host: 'h', ...headers }, body));
      }
    });

    it('is little more than its preflight', async () => {
      const headers = {
        Host: 'h',
        Origin: text(20_000),
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': text(20_000),
      };
      await expectSmall(rawRequest('OPTIONS /', headers));
    });
  });

  it('shows an ordinary policy completely, and cuts a long one', async () => {
    const form = validForm();
    form.fields.set('Signature', 'x');
    expect((await oss.post(form)).xml['StringToSign']).toBe(policyOf(form));
    form.policy.conditions = [{ bucket: 'x'.repeat(100_000) }];
    const { xml } = await oss.post(form);
    expect(xml['StringToSign']).toMatch(/^[\w+/=]{16384}\.\.\. \[cut, [0-9]+ characters in all\]$/);
  });

  it('shows the bytes of an ordinary string to sign', async () => {
    const headers = { Host: 'h', Date: DATE, Authorization: `OSS ${BUCKET_KEY.id}:x` };
    const response = await expectSmall(rawRequest('GET /k', headers));
    const bytes = Buffer.from(`GET\n\n\n${DATE}\n/iotx-ota/k`).toString('hex').toUpperCase();
    expect(response).toContain(`<StringToSignBytes>${bytes.replace(/..(?!$)/g, '$& ')}</`);
  });
});

describe('a query', () => {
  it('may have a thousand parameters, and not one more', async () => {
    const oss = await startOss();
    const query = (count: number): string =>
      Array.from({ length: count }, (_, n) => `p${String(n)}=`).join('&');
    const get = async (text: string): Promise<unknown[]> => {
      const { status, xml } = await oss.send({ path: `/k?${text}` });
      return [status, xml['Code'], xml['Message']];
    };
    expect((await get(query(1000))).slice(0, 2)).toEqual([403, 'AccessDenied']);
    const refused = [400, 'InvalidArgument', 'The query may have at most 1000 parameters.'];
    expect(await get(query(1001))).toEqual(refused);
    expect(await get('a=&'.repeat(1001))).toEqual(refused);
    await oss.close();
  });
});
