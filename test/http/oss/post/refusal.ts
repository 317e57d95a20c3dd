import { BUCKET_KEY } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import type { Oss } from './start.ts';

/** The expected refusal; its texts are copied from the OSS documentation. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly ec?: string;
  /** Further elements of the XML. */
  readonly xml?: Readonly<Record<string, string>>;
}

export type Case = readonly [name: string, change: (form: Form) => void, refusal: Refusal];

const MALFORMED = 'The body of your POST request is not well-formed multipart/form-data.';
export const malformed = (ec = '0006-00000104'): Refusal => ({
  status: 400,
  code: 'MalformedPOSTRequest',
  message: MALFORMED,
  ec,
});
export const argument = (name: string, message: string, ec?: string, value?: string): Refusal => ({
  status: 400,
  code: 'InvalidArgument',
  message,
  ...(ec !== undefined && { ec }),
  xml: { ArgumentName: name, ...(value !== undefined && { ArgumentValue: value }) },
});
export const denied = (why: string, ec: string, xml: Record<string, string> = {}): Refusal => ({
  status: 403,
  code: 'AccessDenied',
  message: `Invalid according to Policy: ${why}`,
  ec,
  xml,
});
export const invalidPolicy = (message: string, ec: string): Refusal => ({
  status: 400,
  code: 'InvalidPolicyDocument',
  message: `Invalid Policy: ${message}`,
  ec: `0006-00000${ec}`,
});
export const SIGNATURE_MESSAGE =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
export const KEY_MISSING =
  "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields";
export const TOO_LONG_NAME = 'Your name of form field is too long.';
export const ONE_FILE = 'POST requires exactly one file upload per request.';

export const set =
  (name: string, value: string | Buffer) =>
  (form: Form): void => {
    form.fields.set(name, value);
  };
export const raw = (text: string | Buffer) => (form: Form) => {
  form.policy = { raw: text };
  form.fields.set('policy', Buffer.from(text).toString('base64'));
};
export const named = (name: string, body: string | Buffer = 'x') => ({
  headers: [`Content-Disposition: form-data; name="${name}"`],
  body,
});

/** Tests that a valid form is refused after each change, and that nothing is stored. */
export function itRefuses(
  groups: readonly (readonly [group: string, base: () => Form, cases: readonly Case[]])[],
): void {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss({ maxUpload: 100_000, drainBytes: '16MiB' });
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    expect(await oss.uncommitted()).toBe(0);
    await oss.close();
  });

  describe.each(groups)('a form with an invalid %s', (_, base, cases) => {
    it.each(cases)('is refused: %s', async (_name, change, refusal) => {
      const form = base();
      change(form);
      const response = await oss.post(form);
      expect(response.xml).toMatchObject({
        Code: refusal.code,
        Message: refusal.message,
        ...refusal.xml,
      });
      expect(response.status).toBe(refusal.status);
      expect(response.headers['x-oss-ec']).toBe(response.xml['EC']);
      if (refusal.ec !== undefined) expect(response.xml['EC']).toBe(refusal.ec);
      expect(response.xml['RequestId']).toBe(response.headers['x-oss-request-id']);
      expect(response.body).not.toContain(BUCKET_KEY.secret);
      expect(await oss.stored('dir/firmware.bin')).toBeUndefined();
    });
  });
}
