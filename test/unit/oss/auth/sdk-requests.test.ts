import { ManualClock } from '../../../../src/lib/clock.ts';
import { authorizeRequest } from '../../../../src/oss/auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../../../../src/oss/auth/signed-request.ts';
import { OssError } from '../../../../src/oss/errors.ts';
import { parseRequest } from '../../../../src/oss/oss-request.ts';
import { createBucketKey } from '../../../../src/signatures/bucket-key.ts';
import { BUCKET_KEY } from '../../../support/built-gateway.ts';
import { SDK_REQUESTS } from '../../../support/sdk-requests.ts';
import type { SdkRequest } from '../../../support/sdk-requests.ts';

const SIGNED = SDK_REQUESTS.filter(({ method, service }) => service === 'oss' && method !== 'POST');
const COVERED = /^(?:authorization|content-type|content-md5|x-oss-.*)$/;

function headersOf({ rawHeaders }: SdkRequest): Record<string, string> {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(
    names.map((name, index) => [name.toLowerCase(), rawHeaders[2 * index + 1] ?? '']),
  );
}

function dependenciesAt(time: number): AuthorizeDependencies {
  const clock = new ManualClock(time);
  const limits = { policyTtl: 0, claimTtl: 0, maxUploadBytes: 0, maxPackages: 0 };
  const rules = { bucket: 'iotx-ota', ...limits, issuedRetention: 0, tombstoneRetention: 0 };
  return {
    uploads: { clock, rules, observer: {} },
    wallClock: clock,
    bucketKey: createBucketKey(BUCKET_KEY.id, BUCKET_KEY.secret),
    region: 'cn-shanghai',
    publicHosts: [],
  };
}

/** @returns whether the signature is valid; for a path in path style, as the client meant it */
function verifies(recorded: SdkRequest): boolean {
  const { at, method, url } = recorded;
  const request = parseRequest({ method, url, headers: headersOf(recorded) }, 'iotx-ota');
  try {
    return authorizeRequest(dependenciesAt(at), request) === 'signed';
  } catch (error) {
    if (error instanceof OssError) return false;
    throw error;
  }
}

function changedAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1);
}

/** Each character of a text, replaced by another one. */
function changesOf(text: string): string[] {
  return Array.from({ length: text.length }, (_, at) => changedAt(text, at));
}

/** The indexes of the header values that are signed or sign. V1 covers Date, unless there is x-oss-date. */
function coveredHeaders(recorded: SdkRequest): number[] {
  const headers = headersOf(recorded);
  const authorization = headers['authorization'] ?? '';
  const { searchParams } = new URL(recorded.url, 'http://host');
  const additional = searchParams.get('x-oss-additional-headers')?.split(';') ?? [];
  if (authorization.startsWith('OSS ') && headers['x-oss-date'] === undefined)
    additional.push('date');
  return recorded.rawHeaders.flatMap((text, index) => {
    const name = text.toLowerCase();
    const isCovered = COVERED.test(name) || additional.includes(name);
    return index % 2 === 0 && isCovered ? [index + 1] : [];
  });
}

/** The same request with one character of its method, path, query or covered headers changed. */
function changedRequests(recorded: SdkRequest): SdkRequest[] {
  const { method, rawHeaders, url } = recorded;
  // What is before the path of an absolute URL is not read.
  const start = /^(?:http:\/\/[^/]+)?\//.exec(url)?.[0].length ?? 0;
  return [
    { ...recorded, method: method === 'GET' ? 'PUT' : 'GET' },
    ...changesOf(url.slice(start)).map((end) => ({ ...recorded, url: url.slice(0, start) + end })),
    ...coveredHeaders(recorded).flatMap((index) =>
      changesOf(rawHeaders[index] ?? '').map((value) => ({
        ...recorded,
        rawHeaders: rawHeaders.with(index, value),
      })),
    ),
  ];
}

it.each(SIGNED.map((recorded) => [recorded.sdk, recorded.what, recorded] as const))(
  'the signature of %s, %s, is valid, and covers every character',
  (_sdk, _what, recorded) => {
    expect(verifies(recorded)).toBe(true);
    const changed = changedRequests(recorded);
    expect(changed.length).toBeGreaterThan(50);
    expect(changed.filter(verifies)).toEqual([]);
  },
);
