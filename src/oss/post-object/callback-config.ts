import { isIP } from 'node:net';
import { argument, ossError } from '../errors.ts';
import type { OssError } from '../errors.ts';
import { quote, valueOf } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import type { INVALID_ARGUMENTS } from '../invalid-arguments.ts';
import { hostOf, mayCall } from './callback-target.ts';
import type { Arrival, CallbackRule } from './callback-target.ts';

export type { CallbackRule } from './callback-target.ts';

/** A callback that a form asks for: after the upload OSS calls these URLs, one after the other, until one succeeds. */
export interface Callback {
  /** The form field. */
  readonly text: string;
  readonly urls: readonly URL[];
  /** Value of the Host header. */
  readonly host: string | undefined;
  readonly contentType: CallbackType;
  /** With variables such as `${object}` in it. */
  readonly template: string;
  /** The form's own variables: lower-case name, which begins with `x:` -> value. */
  readonly variables: FormFields;
}

type CallbackType = keyof typeof ENCODERS;

const MAX_BASE64_BYTES = 5 * 1024;
const MAX_URLS = 5;
/** Of the body that the server gets, once its variables are filled in. Ours: OSS documents no limit. */
const MAX_BODY_BYTES = 64 * 1024;
/** A name or an address, with or without a port. */
const HOST_HEADER = /^([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

/**
 * Reads the form field `callback` (OSS "Callback"; its messages are those of "Upload callback" and "HTTP 400
 * status code"). `callbackSNI` is ignored: the name of the URL's host is sent to TLS servers. That a form's policy covers the
 * field is for `authorizeForm` to say.
 * @returns undefined when the form asks for none
 * @throws OssError for a callback that is not well configured, or not allowed
 */
export function readCallback(
  fields: FormFields,
  rule: CallbackRule,
  arrival: Arrival,
): Callback | undefined {
  const text = valueOf(fields, 'callback');
  if (text === undefined) return undefined;
  const settings = decode(text);
  const setting = (name: string): string | undefined => {
    const value = settings.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };

  const contentType = setting('callbackBodyType') ?? 'application/x-www-form-urlencoded';
  if (!isCallbackType(contentType)) {
    throw refusal('callbackBodyType', text);
  }
  const template = setting('callbackBody');
  if (template === undefined) throw refusal('callbackBodyMissing', text);
  const urls = readUrls(text, setting('callbackUrl') ?? '');
  if (!urls.every((url) => mayCall(url, rule, arrival))) {
    throw refusal('callbackAddress', text);
  }
  const host = setting('callbackHost');
  if (host !== undefined && !urls.every((url) => mayBeCalledAs(host, url, rule))) {
    throw refusal('callbackUrl', text);
  }
  // Others are not kept: they may be many bytes, and an upload may take hours.
  const variables = new Map([...fields].filter(([name]) => isVariableOf(template, name)));
  return { text, urls, host, contentType, template, variables };
}

function decode(text: string): ReadonlyMap<string, unknown> {
  if (text.length > MAX_BASE64_BYTES) {
    throw refusal('callbackTooLong', text);
  }
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw refusal('callbackNotBase64', text);
  }
  const settings = parseJson(bytes.toString('utf8'));
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw refusal('callbackNotJson', text);
  }
  return new Map(Object.entries(settings));
}

/** The samples of "Callback" have URLs without a scheme too. */
function readUrls(text: string, list: string): URL[] {
  const texts = list.split(';').map((url) => url.trim());
  if (texts.length > MAX_URLS) {
    throw refusal('callbackUrls', text);
  }
  return texts.map((url) => {
    const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
    const parsed = URL.canParse(absolute) ? new URL(absolute) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
      throw refusal('callbackUrl', text);
    return parsed;
  });
}

/**
 * Says whether a URL may be called with a Host header of the form's choice. One web server may serve many hosts, so
 * a host that the operator has named may be called only by the names that are named. An address has no name of its
 * own, and is what the setting is made for.
 */
function mayBeCalledAs(header: string, url: URL, { named }: CallbackRule): boolean {
  const name = HOST_HEADER.exec(header)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  const host = hostOf(url);
  if (isIP(host) !== 0 || host === 'localhost' || !named.has(host)) return true;
  return name === host || named.has(name);
}

function isVariableOf(template: string, name: string): boolean {
  return name.startsWith('x:') && template.includes(`\${${name}}`);
}

/** What the variables of a callback stand for; names as OSS has them. */
export type CallbackFacts = ReadonlyMap<string, string | number>;

const VARIABLE = /\$\{([^{}]*)\}/g;

/** Ways to write a variable's value into the body, by the type of the body. */
const ENCODERS = {
  'application/x-www-form-urlencoded': (value: string | number) =>
    encodeURIComponent(String(value)),
  'application/json': (value: string | number) => JSON.stringify(value),
} as const;

/**
 * Fills the variables of a callback's body in. Names are case-sensitive; an unknown one is empty (unverified), as
 * are those of `imageInfo`, because no image is looked at. A value is encoded only when it is short enough, so that
 * the work is bounded by the limit, whatever the template repeats.
 * @throws OssError when the body has more than 64 KiB; code and message are ours
 */
export function callbackBody(callback: Callback, facts: CallbackFacts): string {
  const { contentType, template, text, variables } = callback;
  const encode = ENCODERS[contentType];
  const pieces: string[] = [];
  let size = 0;
  const add = (piece: string): void => {
    size += Buffer.byteLength(piece);
    if (size > MAX_BODY_BYTES) throw tooLongBody(text);
    pieces.push(piece);
  };
  let at = 0;
  for (const { index, 0: variable, 1: name = '' } of template.matchAll(VARIABLE)) {
    add(template.slice(at, index));
    at = index + variable.length;
    const value = (name.startsWith('x:') ? variables : facts).get(name) ?? '';
    // Encoding makes nothing shorter.
    if (String(value).length > MAX_BODY_BYTES) throw tooLongBody(text);
    add(encode(value));
  }
  add(template.slice(at));
  return pieces.join('');
}

function tooLongBody(text: string): OssError {
  return refusal('callbackBody', text);
}

function isCallbackType(text: string): text is CallbackType {
  return Object.hasOwn(ENCODERS, text);
}

/** @returns undefined for text that is no JSON */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

type CallbackProblem = keyof typeof INVALID_ARGUMENTS & `callback${string}`;

function refusal(problem: CallbackProblem, value: string): OssError {
  return ossError(`InvalidArgument.${problem}`, { elements: argument('callback', quote(value)) });
}
