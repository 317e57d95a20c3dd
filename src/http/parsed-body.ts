import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { LimitedLog } from '../lib/limited-log.ts';
import { breakReason } from './broken-request.ts';

/**
 * What a body parser in front of the gateway has left of the body of a request. `untouched`: the request can be read as
 * usual. `bytes`: exactly what the client sent. `pairs`: the names and values of a parsed form, decoded, without the
 * bytes. `lost`: nothing that can stand for the body.
 */
export type LeftBody =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [string, string])[] };

/** For errors and logs: why a body is lost, and what to do. */
export const LOST_BODY =
  'it was read before it reached gateway.app. Mount the gateway before express.json() and other body parsers.';

/** Thrown when another reader in the same process has taken the body, and what it left cannot stand for it. */
export class LostBody extends Error {
  override readonly name = 'LostBody';

  constructor() {
    super(`the body is lost: ${LOST_BODY}`);
  }
}

/** The operator has to change the host application; the client cannot do anything. */
export function warnOfLostBody(log: LimitedLog, { headers }: IncomingMessage): void {
  const contentType = headers['content-type'];
  log.warn({ contentType }, `the body of a request is lost: ${LOST_BODY}`);
}

const UNTOUCHED: LeftBody = { kind: 'untouched' };

/**
 * Finds out whether a host application has read the body of a request before it passes the request to the gateway.
 * Parsers leave their result in `body` (express.json, express.urlencoded, express.raw, express.text), and the bytes in
 * `rawBody` (a custom of their `verify` option and of cloud functions). A parser that does not match the type of a
 * request may set `body`, too, but does not read.
 */
export function findLeftBody(request: IncomingMessage): LeftBody {
  if (!isTaken(request)) return UNTOUCHED;
  const body = 'body' in request ? request.body : undefined;
  const rawBody = 'rawBody' in request ? request.rawBody : undefined;
  const bytes = exactBytes(Buffer.isBuffer(rawBody) ? rawBody : body, request.headers);
  if (bytes !== undefined) return { kind: 'bytes', bytes };
  const pairs = flatPairs(body);
  return pairs === undefined ? { kind: 'lost' } : { kind: 'pairs', pairs };
}

function isTaken(request: IncomingMessage): boolean {
  const { headers, readableDidRead, readableEnded, readableFlowing } = request;
  // In flowing mode, chunks have gone to another listener. A reader that looks at the first ones and puts them back
  // leaves the request paused.
  if (!readableEnded && !(readableDidRead && readableFlowing === true)) return false;
  if (breakReason(request) !== undefined) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** @returns undefined when the body may differ from the bytes on the wire */
function exactBytes(body: unknown, headers: IncomingHttpHeaders): Buffer | undefined {
  // Parsers decompress a body.
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return undefined;
  const length = headers['content-length'];
  const bytes = Buffer.isBuffer(body) ? body : encodeText(body, headers);
  if (bytes === undefined) return undefined;
  return length === undefined || Number(length) === bytes.length ? bytes : undefined;
}

const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-8"?\s*(?:;|$))/i;
const REPLACEMENT = '\ufffd';

/**
 * Encodes a decoded text again. It is exact only if each of its bytes was valid UTF-8. The length shows a removed byte
 * order mark, so a text of unknown length is not used.
 */
function encodeText(body: unknown, headers: IncomingHttpHeaders): Buffer | undefined {
  if (typeof body !== 'string' || body.includes(REPLACEMENT)) return undefined;
  if (headers['content-length'] === undefined) return undefined;
  return OTHER_CHARSET.test(headers['content-type'] ?? '') ? undefined : Buffer.from(body);
}

/**
 * Takes a parsed form back to its pairs; a repeated name has an array. Refuses what a parser may have nested: `a[b]=x`,
 * and `a[]=x`, which is an array of one.
 */
function flatPairs(body: unknown): [string, string][] | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const pairs: [string, string][] = [];
  const entries: [string, unknown][] = Object.entries(body);
  for (const [name, value] of entries) {
    const values: readonly unknown[] = Array.isArray(value) && value.length > 1 ? value : [value];
    for (const each of values) {
      if (typeof each !== 'string') return undefined;
      pairs.push([name, each]);
    }
  }
  return pairs;
}
