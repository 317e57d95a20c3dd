import { isUtf8 } from 'node:buffer';
import { PolicySyntaxError, readConditions } from './condition-syntax.ts';
import type { Condition } from './conditions.ts';
import { parseJson } from './json.ts';
import type { JsonValue } from './json.ts';

export type { Condition } from './conditions.ts';

/** A decoded policy. */
export interface PolicyDocument {
  /** Unix milliseconds. */
  readonly expiration: number;
  /** At least one; all must be met. */
  readonly conditions: readonly Condition[];
}

/**
 * `invalid` is OSS's `InvalidPolicyDocument`: `message` is the whole text of the error, `ec` its fine-grained error
 * code. Texts and codes come from the pages of OSS's error codes 0006-00000201 to 0006-00000224. These pages rarely
 * print the text, so most of our texts are unverified.
 */
export type ParsedPolicy =
  | { readonly kind: 'parsed'; readonly document: PolicyDocument }
  | { readonly kind: 'invalid'; readonly message: string; readonly ec: string };

/**
 * Decodes a policy: padded standard Base64, then UTF-8, then JSON, then the structure that the OSS PostObject
 * reference describes. Each step is strict; the time is linear in the length of any text.
 *
 * The JSON may have `\$` for `$`, as the OSS PostObject reference allows. A member that is given twice is refused
 * (ours: OSS does not document it). Members other than `expiration` and `conditions` are ignored (unverified).
 *
 * @param policy - the Base64 text, exactly as it was signed
 */
export function parsePolicy(policy: string): ParsedPolicy {
  try {
    return { kind: 'parsed', document: readDocument(policy) };
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    return { kind: 'invalid', message: `Invalid Policy: ${error.message}`, ec: error.ec };
  }
}

/**
 * Encodes a policy document as the platform does: Base64 of JSON without white space that starts with `{"expiration":`.
 * An `eq` condition on the bucket is written as an object, every other condition as an array.
 *
 * @returns the policy, ready to sign
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
  const members = readMembers(replaceDollarEscapes(decodeText(policy)));
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
  // Buffer skips characters that are not Base64, so only a text that encodes back to itself was valid.
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

/** Replaces `\$`, an escape of the OSS PostObject reference that JSON does not have. */
function replaceDollarEscapes(json: string): string {
  if (!json.includes('\\$')) return json;
  // Matches every escape, so that `\\$` is read as an escaped backslash and then a dollar.
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

/** OSS's own samples have times with and without milliseconds, but none with an offset (unverified). */
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
  // Formats the time again, because Date.parse rolls over dates that do not exist, such as 30 February and 24:00.
  if (Number.isNaN(time) || new Date(time).toISOString() !== full) {
    throw new PolicySyntaxError('212', `Invalid expiration: expiration ${EXPECTED_EXPIRATION}`);
  }
  return time;
}
