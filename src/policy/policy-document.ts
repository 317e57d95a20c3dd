import { isUtf8 } from 'node:buffer';
import { toUtc } from '../lib/dates.ts';
import { readConditions, shown } from './condition-syntax.ts';
import type { Condition } from './conditions.ts';
import { parseJson } from './json.ts';
import type { JsonValue } from './json.ts';
import { policyError, PolicySyntaxError } from './policy-problems.ts';

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
 * code, see `POLICY_PROBLEMS`.
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
    expiration: toUtc(document.expiration),
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
  if (expiration === undefined && conditions === undefined) throw policyError('bothMissing');
  if (expiration === undefined) throw policyError('expirationMissing');
  if (conditions === undefined) throw policyError('conditionsMissing');
  return { expiration: readExpiration(expiration), conditions: readConditions(conditions) };
}

function decodeText(policy: string): string {
  const bytes = Buffer.from(policy, 'base64');
  // Buffer skips characters that are not Base64, so only a text that encodes back to itself was valid.
  if (bytes.toString('base64') !== policy) throw policyError('notBase64');
  if (!isUtf8(bytes)) throw policyError('notUtf8');
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
  if (parsed.kind === 'error') throw policyError('notJson', { reason: parsed.error });
  if (!(parsed.value instanceof Map)) throw policyError('notAnObject');
  return parsed.value;
}

const EXPIRATION = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?Z$/;

/**
 * OSS's own samples have times with and without milliseconds. Clients send what their language writes: Go drops zeros at
 * the end of a fraction, Python writes 6 digits, .NET 7, Java up to 9. An offset is in no sample (unverified).
 */
function readExpiration(value: JsonValue): number {
  if (typeof value !== 'string') throw policyError('expirationNotText');
  if (value === '') throw policyError('expirationEmpty');
  const match = EXPIRATION.exec(value);
  const time = match === null ? NaN : Date.parse(value);
  // Formats the time again, because Date.parse rolls over dates that do not exist, such as 30 February and 24:00.
  if (Number.isNaN(time) || toUtc(time).slice(0, 19) !== match?.[1]) {
    throw policyError('expirationMalformed', { found: shown(value) });
  }
  return time;
}
