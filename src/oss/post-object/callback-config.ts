import { isIP } from 'node:net';
import { argument, hint, ossError } from '../errors.ts';
import type { ErrorElements, OssError } from '../errors.ts';
import { quote, valueOf } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import type { INVALID_ARGUMENTS } from '../invalid-arguments.ts';
import { hostOf, isAllowedUrl } from './callback-target.ts';
import type { CallbackRule, LocalEndpoint } from './callback-target.ts';

export type { CallbackRule } from './callback-target.ts';

/** A callback that a form asks for. After the upload the URLs are called in order, until one succeeds. */
export interface Callback {
  /** The value of the form field `callback`. */
  readonly text: string;
  readonly urls: readonly URL[];
  /** Value of the Host header; undefined for that of the URL. */
  readonly host: string | undefined;
  readonly contentType: CallbackType;
  /** The body, with variables such as `${object}`. */
  readonly template: string;
  /** Custom variables of the form: lower-case name, which begins with `x:` -> value. */
  readonly variables: FormFields;
}

type CallbackType = keyof typeof ENCODERS;

const MAX_BASE64_BYTES = 5 * 1024;
const MAX_URLS = 5;
/** Limit of the body after its variables are filled in. Ours: OSS documents no limit. */
const MAX_BODY_BYTES = 64 * 1024;
/** A host name or an address, with or without a port. */
const HOST_HEADER = /^([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

/**
 * Reads the form field `callback` (OSS "Callback"; the messages are those of "Upload callback" and "HTTP 400 status
 * code"). Ignores `callbackSNI`: the host of the URL is always sent as the server name of TLS. `checkForm` checks that
 * the policy covers the field.
 * @param local - the connection of the form
 * @returns undefined when the form has no callback
 * @throws OssError for a callback that is invalid or not allowed
 */
export function readCallback(
  fields: FormFields,
  rule: CallbackRule,
  local: LocalEndpoint,
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
  if (!urls.every((url) => isAllowedUrl(url, rule, local))) {
    const hosts = urls.map(({ hostname }) => hostname).join(', ');
    throw refusal('callbackAddress', text, hint(`the host of the callback: ${quote(hosts)}`));
  }
  const host = setting('callbackHost');
  if (host !== undefined && !urls.every((url) => isAllowedHost(host, url, rule))) {
    throw refusal('callbackHost', text);
  }
  // Keep no others: they may be large, and an upload may take hours.
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

/** Also accepts URLs without a scheme, which the samples of "Callback" have. */
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
 * Returns whether a form may choose a Host header for a URL. One web server may serve several hosts, so for a host that
 * the operator has named, the header must be a named host too. For an address it may be any name: OSS has the setting
 * for this case.
 */
function isAllowedHost(header: string, url: URL, { namedHosts }: CallbackRule): boolean {
  const name = HOST_HEADER.exec(header)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  const host = hostOf(url);
  if (isIP(host) !== 0 || host === 'localhost' || !namedHosts.has(host)) return true;
  return name === host || namedHosts.has(name);
}

function isVariableOf(template: string, name: string): boolean {
  return name.startsWith('x:') && template.includes(`\${${name}}`);
}

/** Values of the variables that OSS defines, by name. */
export type SystemVariables = ReadonlyMap<string, string | number>;

const VARIABLE = /\$\{([^{}]*)\}/g;

/** Encodes a variable's value for the body; by the type of the body. */
const ENCODERS = {
  'application/x-www-form-urlencoded': (value: string | number) =>
    encodeURIComponent(String(value)),
  'application/json': (value: string | number) => JSON.stringify(value),
} as const;

/**
 * Fills in the variables of a callback's body. Names are case-sensitive; an unknown variable is empty (unverified), and
 * so are those of `imageInfo`, because images are not read. Checks the length of each value before encoding it, so that
 * the limit also bounds the work for a template that repeats a variable.
 * @throws OssError when the body has more than 64 KiB; code and message are ours
 */
export function callbackBody(callback: Callback, system: SystemVariables): string {
  const { contentType, template, text, variables } = callback;
  const encode = ENCODERS[contentType];
  const pieces: string[] = [];
  let size = 0;
  const add = (piece: string): void => {
    size += Buffer.byteLength(piece);
    if (size > MAX_BODY_BYTES) throw tooLongBody(text);
    pieces.push(piece);
  };
  let position = 0;
  for (const { index, 0: variable, 1: name = '' } of template.matchAll(VARIABLE)) {
    add(template.slice(position, index));
    position = index + variable.length;
    const value = (name.startsWith('x:') ? variables : system).get(name) ?? '';
    // Encoding never makes a value shorter.
    if (String(value).length > MAX_BODY_BYTES) throw tooLongBody(text);
    add(encode(value));
  }
  add(template.slice(position));
  return pieces.join('');
}

function tooLongBody(text: string): OssError {
  return refusal('callbackBody', text);
}

function isCallbackType(text: string): text is CallbackType {
  return Object.hasOwn(ENCODERS, text);
}

/** @returns undefined for text that is not JSON */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

type CallbackProblem = keyof typeof INVALID_ARGUMENTS & `callback${string}`;

function refusal(problem: CallbackProblem, value: string, more: ErrorElements = {}): OssError {
  const elements = { ...argument('callback', quote(value)), ...more };
  return ossError(`InvalidArgument.${problem}`, { elements });
}
