import { readFileSync } from 'node:fs';
import path from 'node:path';
import { apiV1StringToSign, signApiV1 } from '../../../src/signatures/api-v1.ts';
import {
  apiV3StringToSign,
  parseAuthorizationV3,
  sha256Hex,
  signApiV3,
} from '../../../src/signatures/api-v3.ts';
import { equalInConstantTime } from '../../../src/signatures/constant-time.ts';
import { SDK_REQUESTS } from '../../support/sdk-requests.ts';

const SECRET = 'testsecret';

/** A request as a real SDK sent it: @alicloud/pop-core, @alicloud/openapi-client and -core, and those for Python. */
interface Captured {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

const FIXTURE = path.join(__dirname, '../../fixtures/captured-requests.jsonl');
const captured = readFileSync(FIXTURE, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line): Captured => JSON.parse(line));
const requests = [...captured, ...SDK_REQUESTS.filter(({ service }) => service === 'iot')];

function headersOf(request: Captured): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    headers.set((request.rawHeaders[at] ?? '').toLowerCase(), request.rawHeaders[at + 1] ?? '');
  }
  return headers;
}

function verifies(request: Captured): boolean {
  const headers = headersOf(request);
  const query = [...new URLSearchParams(request.url.slice(request.url.indexOf('?') + 1))];
  const queryPairs = request.url.includes('?') ? query : [];
  const authorization = headers.get('authorization');
  if (authorization !== undefined) return verifiesV3(request, headers, queryPairs, authorization);
  const parameters = [...queryPairs, ...new URLSearchParams(request.body)];
  const signature = parameters.find(([name]) => name === 'Signature')?.[1] ?? '';
  return equalInConstantTime(
    signApiV1(SECRET, apiV1StringToSign(request.method, parameters)),
    signature,
  );
}

function verifiesV3(
  request: Captured,
  headers: ReadonlyMap<string, string>,
  query: readonly (readonly [string, string])[],
  header: string,
): boolean {
  const authorization = parseAuthorizationV3(header);
  if (authorization === undefined) return false;
  const stringToSign = apiV3StringToSign({
    method: request.method,
    path: '/',
    query,
    headers,
    signedHeaders: authorization.signedHeaders,
    payloadHash: sha256Hex(request.body),
  });
  return equalInConstantTime(signApiV3(SECRET, stringToSign), authorization.signature);
}

function changedAt(text: string, at: number): string {
  const other = text[at] === 'x' ? 'y' : 'x';
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** Decodes a text, to recognize changes that do not change its meaning. */
const meaning = (text: string): string => JSON.stringify([...new URLSearchParams(text)]);

describe('requests captured from real SDKs', () => {
  it('are eleven requests of JavaScript and 41 of Python', () => {
    expect(captured).toHaveLength(11);
    expect(requests).toHaveLength(11 + 41);
  });

  describe.each(requests.map((request, index) => [index + 1, request] as const))(
    'request %i',
    (_number, request) => {
      const headers = headersOf(request);
      const isV3 = headers.has('authorization');

      it('has a valid signature', () => {
        expect(verifies(request)).toBe(true);
      });

      it('is refused under another method', () => {
        const method = request.method === 'GET' ? 'POST' : 'GET';
        expect(verifies({ ...request, method })).toBe(false);
      });

      it('is refused with any byte of its query changed', () => {
        for (let at = 2; at < request.url.length; at += 1) {
          const url = changedAt(request.url, at);
          if (meaning(url.slice(2)) === meaning(request.url.slice(2))) continue;
          expect({ at, verifies: verifies({ ...request, url }) }).toEqual({ at, verifies: false });
        }
      });

      it('is refused with any byte of its body changed', () => {
        for (let at = 0; at < request.body.length; at += 1) {
          const body = changedAt(request.body, at);
          if (!isV3 && meaning(body) === meaning(request.body)) continue;
          expect({ at, verifies: verifies({ ...request, body }) }).toEqual({ at, verifies: false });
        }
      });

      it('is refused with any signed header or the Authorization changed', () => {
        const signed =
          parseAuthorizationV3(headers.get('authorization') ?? '')?.signedHeaders ?? [];
        const guarded = request.rawHeaders.flatMap((name, at) =>
          at % 2 === 0 && [...signed, 'authorization'].includes(name.toLowerCase()) ? [at + 1] : [],
        );
        expect(guarded).toHaveLength(isV3 ? signed.length + 1 : 0);
        for (const index of guarded) {
          const value = request.rawHeaders[index] ?? '';
          const isAuthorization = request.rawHeaders[index - 1] === 'Authorization';
          for (let at = 0; at < value.length; at += 1) {
            // The access key is only used to find the secret, which this test already has.
            if (isAuthorization && value.slice(0, at).endsWith('Credential='))
              at += 'testid'.length;
            const rawHeaders = request.rawHeaders.with(index, changedAt(value, at));
            const outcome = verifies({ ...request, rawHeaders });
            expect({ value, at, outcome }).toEqual({ value, at, outcome: false });
          }
        }
      });
    },
  );
});
