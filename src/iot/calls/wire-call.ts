import type { IncomingMessage } from 'node:http';
import { parsePairs } from './pairs.ts';
import type { Pairs } from './pairs.ts';

/**
 * Bytes of an urlencoded body that are parsed, and the limit for the body of a call when its signature is checked.
 */
export const MAX_FORM_BYTES = 128 * 1024;

/** The parts of an HTTP request that the API uses, before its body is read. */
export interface CallHead {
  readonly method: string;
  readonly query: Pairs;
  /** Lower-case name -> value; the values of a repeated header are sorted and joined by commas, as V3 signs them. */
  readonly headers: ReadonlyMap<string, string>;
  /** The Authorization header, if it is one of signature V3. */
  readonly authorizationV3: string | undefined;
}

/** A request that is an API call, with its body. */
export interface WireCall extends CallHead {
  readonly body: Buffer;
  /** Parameters of an urlencoded body; only the first ones when the body is too long. */
  readonly form: Pairs;
}

const MARKERS: ReadonlySet<string> = new Set(['Action', 'AccessKeyId', 'Signature', 'Version']);
const FORM_TYPE = 'application/x-www-form-urlencoded';
const MULTIPART_TYPE = 'multipart/form-data';

/** @returns undefined when the path of the request is not `/` */
export function readHead(request: IncomingMessage): CallHead | undefined {
  const [target = '', query = ''] = splitOnce(request.url ?? '/', '?');
  // A proxy may send the whole URL.
  const path = target.replace(/^https?:\/\/[^/]*/i, '');
  if (path !== '/' && path !== '') return undefined;
  const headers = joinHeaders(request.rawHeaders);
  const authorization = headers.get('authorization');
  return {
    method: request.method ?? '',
    query: parsePairs(query),
    headers,
    authorizationV3: authorization?.startsWith('ACS3-') === true ? authorization : undefined,
  };
}

/** @returns whether the request is an API call; `askBody` when that depends on its body */
export function recognize(head: CallHead): 'yes' | 'no' | 'askBody' {
  const type = contentType(head);
  if (head.method === 'POST' && type === MULTIPART_TYPE) return 'no';
  // Only the API has this signature, so the API refuses other methods itself.
  if (head.authorizationV3 !== undefined) return 'yes';
  if (head.method !== 'GET' && head.method !== 'POST') return 'no';
  if (hasMarker(head.query)) return 'yes';
  return type === FORM_TYPE ? 'askBody' : 'no';
}

/** Adds the body. @returns undefined when the body shows that the request is not an API call */
export function completeCall(head: CallHead, body: Buffer): WireCall | undefined {
  const isForm = contentType(head) === FORM_TYPE;
  const form = isForm ? parsePairs(body.toString('utf8', 0, MAX_FORM_BYTES)) : [];
  const isCall = recognize(head) === 'yes' || hasMarker(form);
  return isCall ? { ...head, body, form } : undefined;
}

/** @returns the length of an urlencoded body; 0 for any other */
export function formBytes(call: WireCall): number {
  return contentType(call) === FORM_TYPE ? call.body.length : 0;
}

function hasMarker(pairs: Pairs): boolean {
  return pairs.some(([name]) => MARKERS.has(name));
}

function contentType({ headers }: CallHead): string | undefined {
  return headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

function joinHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1]?.trim() ?? '';
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return new Map([...values].map(([name, list]) => [name, list.sort().join(',')]));
}
