import type { IncomingMessage } from 'node:http';
import { parsePairs } from './pairs.ts';
import type { Pairs } from './pairs.ts';
import type { CallBody } from './read-body.ts';

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
  /** Empty when a body parser in front of the gateway has read it. */
  readonly body: Buffer;
  /** Parameters of an urlencoded body; only the first ones when the body is too long. */
  readonly form: Pairs;
  /** Length of the urlencoded body; 0 for any other. */
  readonly formBytes: number;
}

const MARKERS: ReadonlySet<string> = new Set(['Action', 'AccessKeyId', 'Signature', 'Version']);
const FORM_TYPE = 'application/x-www-form-urlencoded';

const PLAIN_MARKER = /(?:^|&)(?:Action|AccessKeyId|Signature|Version)(?:[=&]|$)/;

/** @returns whether the query makes its request an API call */
export function isCallQuery(query: string): boolean {
  // Parsing is needed only for escaped names, which clients do not send, and costs more than the rest of the dispatch.
  return PLAIN_MARKER.test(query) || (query.includes('%') && isCallForm(parsePairs(query)));
}

/** @returns whether the urlencoded body makes its request an API call */
export function isCallForm(pairs: Pairs): boolean {
  return pairs.some(([name]) => MARKERS.has(name));
}

/** Reads everything before the body. */
export function readHead({ method = '', rawHeaders, url = '/' }: IncomingMessage): CallHead {
  const [, query = ''] = splitOnce(url, '?');
  const headers = joinHeaders(rawHeaders);
  const authorization = headers.get('authorization');
  return {
    method,
    query: parsePairs(query),
    headers,
    authorizationV3: authorization?.startsWith('ACS3-') === true ? authorization : undefined,
  };
}

/** Adds the body. @returns undefined when the call cannot be verified without the bytes that a body parser has read */
export function completeCall(head: CallHead, body: CallBody): WireCall | undefined {
  const isForm = contentType(head) === FORM_TYPE;
  if (body.kind === 'whole') {
    const { bytes } = body;
    if (!isForm || bytes.length === 0) return callOf(head, bytes, [], 0);
    const form = parsePairs(bytes.toString('utf8', 0, MAX_FORM_BYTES));
    return callOf(head, bytes, form, bytes.length);
  }
  // V3 signs the bytes of the body. V1 signs its parameters, and no body of another type.
  if (head.authorizationV3 !== undefined) return undefined;
  if (!isForm) return withoutBody(head);
  if (body.kind === 'lost') return undefined;
  // Of a body of unknown length, the parameters are limited, see `admit`.
  const formBytes = Number(head.headers.get('content-length') ?? 0);
  return callOf(head, NO_BYTES, body.pairs, formBytes);
}

/** Makes a call without a body of a head. */
export function withoutBody(head: CallHead): WireCall {
  return callOf(head, NO_BYTES, [], 0);
}

function callOf(head: CallHead, body: Buffer, form: Pairs, formBytes: number): WireCall {
  return { body, form, formBytes, ...head };
}

const NO_BYTES = Buffer.alloc(0);

function contentType({ headers }: CallHead): string | undefined {
  return headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

function joinHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const repeated = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1]?.trim() ?? '';
    const first = headers.get(name);
    if (first === undefined) headers.set(name, value);
    else multiple(repeated, name, first).push(value);
  }
  for (const [name, values] of repeated) headers.set(name, values.sort().join(','));
  return headers;
}

function multiple(repeated: Map<string, string[]>, name: string, first: string): string[] {
  const values = repeated.get(name) ?? [first];
  repeated.set(name, values);
  return values;
}
