import type { TestGateway } from '../../../src/testing/index.ts';
import { exchangeRaw, rawRequest, refusalLimit } from '../../support/raw-exchange.ts';
import { callDate, signV1, stringToSignV1 } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const KEY = { id: 'testid', secret: 'testsecret' };
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

let gateway: TestGateway;
let port: number;

beforeAll(async () => {
  gateway = await startTestGateway();
  ({ port } = await gateway.listen());
});
afterAll(() => gateway.close());

/** The common parameters of a call with a wrong signature, urlencoded. */
function wronglySigned(format: string): string {
  const common = {
    Action: 'GenerateOTAUploadURL',
    Version: '2018-01-20',
    Format: format,
    AccessKeyId: KEY.id,
    Timestamp: callDate(gateway.clock.now()),
    SignatureNonce: 'nonce',
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    Signature: 'x',
  };
  return new URLSearchParams(common).toString();
}

/** Characters that take more bytes when they are encoded twice, escaped, or replaced by U+FFFD. */
const FILLERS: readonly (readonly [string, string])[] = [
  ['bytes that are no UTF-8', '\xff'],
  ['escaped bytes that are no UTF-8', '%FF'],
  ['control characters', '%00'],
  ['quotes', '"'],
  ['apostrophes', "'"],
  ['parentheses', '('],
  ['escaped Chinese', '%E4%B8%AD'],
  ['letters', 'a'],
  ['names', 'a%22='],
];

function fill(filler: string, length: number): string {
  return `Name=${filler.repeat(Math.floor(length / filler.length))}`;
}

describe.each(['JSON', 'XML'])('a wrongly signed call with the response in %s', (format) => {
  const sizeOf = async (request: Buffer): Promise<string> => {
    const response = await exchangeRaw(port, request);
    expect(response.length).toBeLessThanOrEqual(refusalLimit(request));
    return response.toString('latin1');
  };

  it.each(FILLERS)('gets a response little larger than its body: %s', async (_, filler) => {
    for (const length of [1000, 5000, 20_000, 100_000, 127_000]) {
      const body = Buffer.from(`${wronglySigned(format)}&${fill(filler, length)}`, 'latin1');
      const response = await sizeOf(rawRequest('POST /', { Host: 'h', ...FORM }, body));
      expect(response).toMatch(/SignatureDoesNotMatch|InvalidParameter/);
    }
  });

  it.each(FILLERS)('gets a response little larger than its query: %s', async (_, filler) => {
    for (const length of [1000, 5000, 20_000, 60_000]) {
      const query = `${wronglySigned(format)}&${fill(filler, length)}`;
      expect(await sizeOf(rawRequest(`GET /?${query}`, { Host: 'h' }))).toMatch(
        /SignatureDoesNotMatch|InvalidParameter|^HTTP\/1.1 400 Bad Request\r\n[^]*Percent-encode/,
      );
    }
  });

  it.each(FILLERS)('gets a response little larger than its headers: %s', async (_, filler) => {
    const text = filler.repeat(Math.floor(30_000 / filler.length));
    const v3 = {
      Host: text,
      Accept: format === 'XML' ? 'text/xml' : 'application/json',
      'x-acs-action': 'GenerateOTAUploadURL',
      'x-acs-version': '2018-01-20',
      'x-acs-date': callDate(gateway.clock.now()),
      'x-acs-signature-nonce': 'nonce',
      'x-acs-content-sha256': text.slice(0, 25_000),
      Authorization:
        `ACS3-HMAC-SHA256 Credential=${KEY.id},SignedHeaders=host;x-acs-action;x-acs-version;` +
        `x-acs-date;x-acs-signature-nonce;x-acs-content-sha256${';host'.repeat(1000)},Signature=x`,
    };
    const response = await sizeOf(rawRequest('POST /', v3));
    expect(response).toMatch(/SignatureDoesNotMatch/);
    expect(response).toMatch(/server string to sign is:ACS3-HMAC-SHA256/);
  });

  it('gets the beginning of a string that is too long, with a mark that it is cut', async () => {
    const body = `${wronglySigned(format)}&${fill('%FF', 60_000)}`;
    const response = await sizeOf(rawRequest('POST /', { Host: 'h', ...FORM }, body));
    expect(response).toMatch(
      /sign is:POST&(?:amp;)?%2F&[^]*\.\.\. \[cut, [0-9]{6} characters in all\]["<]/,
    );
  });
});

describe('the string to sign', () => {
  it('is not cut for the longest legal Udi', async () => {
    const parameters = { FirmwareName: 'name', Udi: '\u{4e2d}'.repeat(4096) };
    const pairs = signV1('CreateOTAFirmware', parameters, {
      key: KEY,
      time: gateway.clock.now(),
      common: { Signature: 'x' },
    });
    const response = await gateway.fetch(`/?${new URLSearchParams(pairs).toString()}`);
    // It has no character that JSON escapes.
    const [, shown = ''] = /sign is:([^"]*)"/.exec(await response.text()) ?? [];
    expect(shown.length).toBeGreaterThan(61_440);
    expect(shown).toBe(stringToSignV1('GET', pairs));
  });
});

describe('the parameters of a call', () => {
  const call = async (body: string): Promise<string> => {
    const bytes = rawRequest('POST /', { Host: 'h', ...FORM }, body);
    return (await exchangeRaw(port, bytes)).toString('latin1');
  };
  const named = (count: number): string =>
    Array.from({ length: count }, (_, n) => `&p${String(n)}=`).join('');

  it('are limited to a thousand', async () => {
    const own = wronglySigned('JSON');
    const count = own.split('&').length;
    expect(await call(own + named(1000 - count))).toContain('"SignatureDoesNotMatch"');
    expect(await call(own + named(1001 - count))).toMatch(
      /"InvalidParameter".*\\"p991\\" is not valid. A call may have at most 1000 parameters./,
    );
    expect(await call(own + named(20_000))).toContain('A call may have at most 1000 parameters.');
  });

  it('are limited to 64 KiB before their canonical form is made', async () => {
    const own = wronglySigned('JSON');
    const size = [...new URLSearchParams(own)].flat().join('').length;
    // Three bytes each.
    const chinese = '%E4%B8%AD'.repeat(1000);
    const fits = `${own}&p=${chinese}${'x'.repeat(64 * 1024 - size - 1 - 3000)}`;
    expect(await call(fits)).toContain('"SignatureDoesNotMatch"');
    expect(await call(`${fits}x`)).toMatch(
      /"InvalidParameter".*\\"p\\" is not valid. All parameters may have at most 65536 bytes together./,
    );
  });

  it('are limited to 128 KiB on the wire', async () => {
    const own = wronglySigned('JSON');
    expect(await call(own.padEnd(128 * 1024, '&'))).toContain('"SignatureDoesNotMatch"');
    const response = await call(own.padEnd(128 * 1024 + 1, '&'));
    expect(response).toMatch(/^HTTP\/1.1 413 [^]*"RequestBodyTooLarge".*at most 131072 bytes/);
  });
});
