import type { IncomingMessage } from 'node:http';
import { parsePairs } from './pairs.ts';
import type { Pairs } from './pairs.ts';

/** What is read of an urlencoded body, and what it may have in bytes when its signature comes to be checked. */
export const MAX_FORM_BYTES = 128 * 1024;

/** An HTTP request as far as it matters to the API, before its body is read. */
export interface CallHead {
  readonly method: string;
  readonly query: Pairs;
  /** Lower-case name -> value; the values of a repeated header are sorted and joined by commas, as V3 signs them. */
  readonly headers: ReadonlyMap<string, string>;
  /** The Authorization header, when it is one of signature V3. */
  readonly authorizationV3: string | undefined;
}

/** A request that is an API call, with its body. */
export interface WireCall extends CallHead {
  readonly body: Buffer;
  /** Parameters of an urlencoded body; not all of them when the body is too long. */
  readonly form: Pairs;
}

const MARKERS: ReadonlySet<string> = new Set(['Action', 'AccessKeyId', 'Signature', 'Version']);
const FORM_TYPE = 'application/x-www-form-urlencoded';
const MULTIPART_TYPE = 'multipart/form-data';

/** @returns undefined when the request does not go to the path `/` */
export function readHead(request: IncomingMessage): CallHead | undefined {
  const [target = '', query = ''] = splitOnce(request.url ?? '/', '?');
  // A proxy may ask for the whole URL.
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
  // Nothing but the API knows this signature, so that the API may say what is wrong with the method.
  if (head.authorizationV3 !== undefined) return 'yes';
  if (head.method !== 'GET' && head.method !== 'POST') return 'no';
  if (hasMarker(head.query)) return 'yes';
  return type === FORM_TYPE ? 'askBody' : 'no';
}

/** Adds the body. @returns undefined when it shows that the request is no API call */
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
  const place = text.indexOf(separator);
  return place === -1 ? [text] : [text.slice(0, place), text.slice(place + separator.length)];
}

function joinHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string[]>();
  for (let place = 0; place + 1 < rawHeaders.length; place += 2) {
    const name = rawHeaders[place]?.toLowerCase() ?? '';
    const value = rawHeaders[place + 1]?.trim() ?? '';
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return new Map([...values].map(([name, list]) => [name, list.sort().join(',')]));
}
