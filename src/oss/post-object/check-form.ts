import {
  findFailedCondition,
  formatCondition,
  sizeRange,
  findUncoveredFields,
} from '../../policy/conditions.ts';
import type { Condition, PolicySubject } from '../../policy/conditions.ts';
import { expandFilename, findObjectKeyProblem } from '../../policy/object-key.ts';
import type { ObjectKeyProblem } from '../../policy/object-key.ts';
import { parsePolicy } from '../../policy/policy-document.ts';
import { argument, hint, OssError, ossError } from '../errors.ts';
import type { ErrorElements, OssErrorName } from '../errors.ts';
import { isSecretField, quote, valueOf } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import { verifyForm } from './form-signature.ts';
import type { FormVerifier } from './form-signature.ts';
import type { PostForm } from './read-form.ts';

/** Values that the check of a form needs. */
export interface FormRules extends FormVerifier {
  /** The bucket that the request addresses. */
  readonly bucket: string;
  /** Whether a form may ask for a callback that its policy does not cover. */
  readonly unsignedCallbacks: boolean;
}

interface CheckedFields {
  readonly fields: FormFields;
  readonly file: Pick<PostForm['file'], 'contentType' | 'filename'>;
}

/** Values of an accepted form, and the sizes that its policy allows. */
export interface CheckedForm {
  /** With the file name filled in. */
  readonly key: string;
  /** The type that the object gets; undefined when the form has none. */
  readonly contentType: string | undefined;
  /** Smallest and largest size that the policy allows, in bytes; `max` is undefined when the policy has no maximum. */
  readonly size: { readonly min: number; readonly max: number | undefined };
}

/**
 * Checks the fields before the file, in this order: key, completeness of the signature, signature, policy, expiry,
 * conditions. Parses a policy only after its signature is verified. OSS documents no order.
 * @throws OssError for a form that is refused
 */
export function checkForm({ fields, file }: CheckedFields, rules: FormRules): CheckedForm {
  const rawKey = requireKey(fields);
  const { policy, version } = verifyForm(fields, rules);
  const parsed = parsePolicy(policy);
  if (parsed.kind === 'invalid') throw new OssError('InvalidPolicyDocument', parsed);
  const { conditions, expiration } = parsed.document;
  checkExpiry(expiration, rules.now);

  const contentType = effectiveContentType(fields, file.contentType);
  checkConditions(conditions, { bucket: rules.bucket, fields, contentType });
  if (version === 4) checkCoverage(conditions, SIGNING_FIELDS_V4);
  if (!rules.unsignedCallbacks && valueOf(fields, CALLBACK) !== undefined) {
    const isCovered = findUncoveredFields(conditions, [CALLBACK]).length === 0;
    if (!isCovered) throw ossError('AccessDenied.callbackNotInPolicy');
  }
  return { key: expandKey(rawKey, file.filename), contentType, size: sizeRange(conditions) };
}

/**
 * Returns the type that the object gets: `x-oss-content-type`, else the type of the file part, else the `Content-Type`
 * field (OSS PostObject page). Conditions are checked against this type, so that a form cannot evade them with another
 * type in another place (the Java SDK's post policy test has it in the part; that `x-oss-content-type` counts is
 * unverified).
 */
function effectiveContentType(fields: FormFields, partType: string): string | undefined {
  const candidates = [fields.get('x-oss-content-type'), partType, fields.get('content-type')];
  return candidates.find((type) => type !== undefined && type !== '');
}

function requireKey(fields: FormFields): string {
  const key = fields.get('key');
  if (key === undefined) {
    throw ossError('InvalidArgument.keyMissing', { elements: argument('key', '') });
  }
  checkKey(key);
  return key;
}

const KEY_ERRORS = {
  empty: 'InvalidObjectName.empty',
  tooLong: 'InvalidObjectName.tooLong',
  invalid: 'InvalidObjectName',
  reserved: 'InvalidObjectName',
} as const satisfies Readonly<Record<ObjectKeyProblem, OssErrorName>>;

const KEY_HINTS: Partial<Record<ObjectKeyProblem, ErrorElements>> = {
  invalid: hint('a key must not begin with / or \\, and must be text without NUL'),
  reserved: hint('keys that begin with _gateway/ belong to the gateway'),
};

function checkKey(key: string): void {
  const problem = findObjectKeyProblem(key);
  if (problem === undefined) return;
  const elements = { ...argument('key', quote(key)), ...KEY_HINTS[problem] };
  throw ossError(KEY_ERRORS[problem], { elements });
}

/** Refuses a file name that is not UTF-8, because its key would have replacement characters. */
function expandKey(rawKey: string, filename: string | undefined): string {
  const key = expandFilename(rawKey, filename);
  if (key.includes('\u{FFFD}') && !rawKey.includes('\u{FFFD}')) {
    const elements = hint('the name of the file is not encoded in UTF-8');
    throw ossError('InvalidObjectName', { elements });
  }
  checkKey(key);
  return key;
}

function checkExpiry(expiration: number, now: number): void {
  if (now < expiration) return;
  throw ossError('AccessDenied.policyExpired', {
    elements: {
      ServerTime: new Date(now).toISOString(),
      Expiration: new Date(expiration).toISOString(),
    },
  });
}

function checkConditions(conditions: readonly Condition[], subject: PolicySubject): void {
  const failed = findFailedCondition(conditions, subject);
  if (failed === undefined || failed.kind === 'content-length-range') return;
  const actual = actualValue(failed.field, subject);
  const values = { condition: formatCondition(failed) };
  if (actual === undefined) throw ossError('AccessDenied.conditionWithoutField', { values });
  throw ossError('AccessDenied.conditionFailed', {
    values,
    // Ours: the value that the condition was compared with.
    elements: isSecretField(failed.field) ? {} : { ActualValue: quote(actual) },
  });
}

function actualValue(field: string, subject: PolicySubject): string | undefined {
  if (field === 'bucket') return subject.bucket;
  if (field === 'content-type') return subject.contentType;
  return subject.fields.get(field);
}

const SIGNING_FIELDS_V4 = ['x-oss-signature-version', 'x-oss-credential', 'x-oss-date'];

/**
 * By default the policy must have a condition on the callback, because it makes the gateway send a request. OSS does
 * not require one ("Callback").
 */
const CALLBACK = 'callback';

function checkCoverage(conditions: readonly Condition[], names: readonly string[]): void {
  const uncovered = findUncoveredFields(conditions, names);
  if (uncovered.length === 0) return;
  throw ossError('AccessDenied.fieldsNotInPolicy', { values: { fields: uncovered.join(', ') } });
}
