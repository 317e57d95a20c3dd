import { isUtf8 } from 'node:buffer';
import { PolicySyntaxError, readConditions } from './condition-syntax.ts';
import type { Condition } from './conditions.ts';
import { parseJson } from './json.ts';
import type { JsonValue } from './json.ts';

export type { Condition } from './conditions.ts';

/** What a policy says once it is decoded. */
export interface PolicyDocument {
  /** Unix milliseconds. */
  readonly expiration: number;
  /** All of them must hold; at least one. */
  readonly conditions: readonly Condition[];
}

/**
 * `invalid` is OSS's `InvalidPolicyDocument`: `message` is the whole text of the error, `ec` its fine-grained
 * number. Texts and numbers come from the pages of OSS's error codes 0006-00000201 to 0006-00000224; the pages
 * rarely print the text, so most of ours is unverified.
 */
export type ParsedPolicy =
  | { readonly kind: 'parsed'; readonly document: PolicyDocument }
  | { readonly kind: 'invalid'; readonly message: string; readonly ec: string };

/**
 * Decodes a policy: padded standard Base64, then UTF-8, then JSON, then the structure that the OSS PostObject
 * reference describes. Strict at each step, linear in the length of the text whatever the text is.
 *
 * JSON may hold `\$` for `$`, as the OSS PostObject reference allows. A member given twice is refused (ours:
 * OSS documents nothing). Members other than `expiration` and `conditions` are ignored (unverified).
 *
 * @param policy - the Base64 text, exactly as it was signed
 */
export function parsePolicy(policy: string): ParsedPolicy {
  try {
    return { kind: 'parsed', document: readDocument(policy) };
  } catch (fault) {
    if (!(fault instanceof PolicySyntaxError)) throw fault;
    return { kind: 'invalid', message: `Invalid Policy: ${fault.message}`, ec: fault.ec };
  }
}

/**
 * Encodes a policy document the way the platform does: Base64 of JSON without white space that starts with
 * `{"expiration":`. An exact `bucket` condition is written as an object, every other one as an array.
 *
 * @returns the policy, ready to be signed
 * @throws RangeError when the expiration is not a time that a `Date` can hold
 */
export function encodePolicy(document: PolicyDocument): string {
  const json = JSON.stringify({
    expiration: new Date(document.expiration).toISOString(),
    conditions: document.conditions.map(encodeCondition),
  });
  return Buffer.from(json, 'utf8').toString('base64');
}

function encodeCondition(condition: Condition): unknown {
  switch (condition.kind) {
    case 'content-length-range':
      return [condition.kind, condition.min, condition.max];
    case 'in':
    case 'not-in':
      return [condition.kind, `$${condition.field}`, condition.values];
    case 'eq':
      if (condition.field === 'bucket') return { bucket: condition.value };
      return [condition.kind, `$${condition.field}`, condition.value];
    case 'starts-with':
      return [condition.kind, `$${condition.field}`, condition.value];
  }
}

function readDocument(policy: string): PolicyDocument {
  const members = readMembers(translateDollars(decodeText(policy)));
  const expiration = members.get('expiration');
  const conditions = members.get('conditions');
  if (expiration === undefined && conditions === undefined) {
    throw new PolicySyntaxError('209', 'Policy must specify expiration and conditions.');
  }
  if (expiration === undefined)
    throw new PolicySyntaxError('208', 'Policy must specify expiration.');
  if (conditions === undefined)
    throw new PolicySyntaxError('207', 'Policy must specify conditions.');
  return { expiration: readExpiration(expiration), conditions: readConditions(conditions) };
}

function decodeText(policy: string): string {
  const bytes = Buffer.from(policy, 'base64');
  // Buffer skips what is not Base64; only text that survives the way back was Base64 throughout.
  if (bytes.toString('base64') !== policy) {
    throw new PolicySyntaxError(
      '202',
      'Policy must be encoded in Base64, padded and without line breaks.',
    );
  }
  if (!isUtf8(bytes))
    throw new PolicySyntaxError('203', 'Policy must be UTF-8 text encoded in Base64.');
  return bytes.toString('utf8');
}

/** `\$` is an escape of the OSS PostObject reference that JSON does not have. */
function translateDollars(json: string): string {
  if (!json.includes('\\$')) return json;
  // Matching every escape keeps the pair in `\\$` together: that one is a backslash, then a dollar.
  return json.replace(/\\[^]/g, (escape) => (escape === '\\$' ? '$' : escape));
}

function readMembers(json: string): ReadonlyMap<string, JsonValue> {
  const parsed = parseJson(json);
  if (parsed.kind === 'error') throw new PolicySyntaxError('204', `Invalid JSON: ${parsed.error}`);
  if (!(parsed.value instanceof Map)) {
    throw new PolicySyntaxError('204', 'Invalid JSON: Policy must be a JSON object.');
  }
  return parsed.value;
}

const EXPIRATION = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z$/;
const EXPECTED_EXPIRATION = 'must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.';

/** Both forms, with and without milliseconds, are in OSS's own samples; an offset is not (unverified). */
function readExpiration(value: JsonValue): number {
  if (typeof value !== 'string') {
    throw new PolicySyntaxError('210', `Invalid expiration: expiration ${EXPECTED_EXPIRATION}`);
  }
  if (value === '') {
    throw new PolicySyntaxError(
      '211',
      `Invalid expiration: expiration is empty and ${EXPECTED_EXPIRATION}`,
    );
  }
  const match = EXPIRATION.exec(value);
  const time = match === null ? NaN : Date.parse(value);
  const full = match?.[1] === undefined ? value.replace(/Z$/, '.000Z') : value;
  // The way back tells real dates from those that Date.parse rolls over, such as 30 February and 24:00.
  if (Number.isNaN(time) || new Date(time).toISOString() !== full) {
    throw new PolicySyntaxError('212', `Invalid expiration: expiration ${EXPECTED_EXPIRATION}`);
  }
  return time;
}
