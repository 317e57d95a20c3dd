import { invalidArgument } from './errors.ts';
import type { OssError } from './errors.ts';
import { quote, valueOf } from './form-fields.ts';
import type { FormFields } from './form-fields.ts';

/** Where callbacks may go. The gateway's own machine is always allowed: that is where a developer's server runs. */
export interface CallbackRule {
  /** Host names or addresses, without a port. */
  readonly allowedHosts: readonly string[] | 'any';
}

/** A callback that a form asks for: after the upload OSS calls these URLs, one after the other, until one succeeds. */
export interface Callback {
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
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;
const NOT_IN_HOST = /[^\x21-\x7e]/;

/**
 * Reads the form field `callback` (OSS "Callback"; its messages are those of "Upload callback" and "HTTP 400
 * status code"). `callbackSNI` is ignored: the name of the URL's host is sent to TLS servers.
 * @returns undefined when the form asks for none
 * @throws OssError for a callback that is not well configured, or not allowed
 */
export function readCallback(fields: FormFields, rule: CallbackRule): Callback | undefined {
  const text = valueOf(fields, 'callback');
  if (text === undefined) return undefined;
  const settings = decode(text);
  const setting = (name: string): string | undefined => {
    const value = settings.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };

  const contentType = setting('callbackBodyType') ?? 'application/x-www-form-urlencoded';
  if (!isCallbackType(contentType)) {
    throw refusal(text, 'The body type of callback is not supported.');
  }
  const template = setting('callbackBody');
  if (template === undefined) throw refusal(text, 'The callback body is empty.');
  const host = setting('callbackHost');
  if (host !== undefined && NOT_IN_HOST.test(host)) throw refusal(text, BAD_URL);
  const urls = readUrls(text, setting('callbackUrl') ?? '');
  if (!urls.every((url) => isAllowed(url, rule))) {
    throw refusal(text, 'Private address is forbidden to callback.');
  }
  const variables = new Map([...fields].filter(([name]) => name.startsWith('x:')));
  return { urls, host, contentType, template, variables };
}

function decode(text: string): ReadonlyMap<string, unknown> {
  if (text.length > MAX_BASE64_BYTES) {
    throw refusal(text, 'The length of callback exceed max value.');
  }
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw refusal(text, 'The callback configuration is not base64 encoded.');
  }
  const settings = parseJson(bytes.toString('utf8'));
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw refusal(text, 'The callback configuration is not json format.');
  }
  return new Map(Object.entries(settings));
}

const BAD_URL = 'The callback url configuration is invalid.';

/** The samples of "Callback" have URLs without a scheme too. */
function readUrls(text: string, list: string): URL[] {
  const texts = list.split(';').map((url) => url.trim());
  if (texts.length > MAX_URLS) {
    throw refusal(text, 'The number of callback url exceed max value.');
  }
  return texts.map((url) => {
    const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
    const parsed = URL.canParse(absolute) ? new URL(absolute) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw refusal(text, BAD_URL);
    return parsed;
  });
}

function isAllowed({ hostname }: URL, { allowedHosts }: CallbackRule): boolean {
  if (allowedHosts === 'any' || LOOPBACK.test(hostname)) return true;
  return allowedHosts.some((host) => host.toLowerCase() === hostname);
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
 * are those of `imageInfo`, because no image is looked at.
 */
export function callbackBody(callback: Callback, facts: CallbackFacts): string {
  const encode = ENCODERS[callback.contentType];
  return callback.template.replace(VARIABLE, (_, name: string) =>
    encode((name.startsWith('x:') ? callback.variables : facts).get(name) ?? ''),
  );
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

function refusal(value: string, message: string): OssError {
  return invalidArgument('callback', quote(value), message);
}
