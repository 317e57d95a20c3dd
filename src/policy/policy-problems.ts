import { fill } from '../lib/template.ts';
import type { Placeholder, Values } from '../lib/template.ts';

/**
 * Everything that can be wrong with the text of a policy, each with OSS's fine-grained error code. Codes are those of the
 * pages 0006-00000201 to 0006-00000224; these rarely print the text, so most texts are unverified. `{...}` is filled in.
 */
export const POLICY_PROBLEMS = {
  notBase64: {
    ec: '0006-00000202',
    message: 'Policy must be encoded in Base64, padded and without line breaks.',
  },
  notUtf8: { ec: '0006-00000203', message: 'Policy must be UTF-8 text encoded in Base64.' },
  notJson: { ec: '0006-00000204', message: 'Invalid JSON: {reason}' },
  notAnObject: { ec: '0006-00000204', message: 'Invalid JSON: Policy must be a JSON object.' },
  conditionsMissing: { ec: '0006-00000207', message: 'Policy must specify conditions.' },
  expirationMissing: { ec: '0006-00000208', message: 'Policy must specify expiration.' },
  bothMissing: {
    ec: '0006-00000209',
    message: 'Policy must specify expiration and conditions.',
  },
  expirationNotText: {
    ec: '0006-00000210',
    message:
      'Invalid expiration: expiration must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.',
  },
  expirationEmpty: {
    ec: '0006-00000211',
    message:
      'Invalid expiration: expiration is empty and must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.',
  },
  expirationMalformed: {
    ec: '0006-00000212',
    message:
      'Invalid expiration: expiration must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z, but found {found}.',
  },
  conditionsNotAnArray: {
    ec: '0006-00000214',
    message: 'Invalid conditions: conditions must be an array.',
  },
  conditionsEmpty: {
    ec: '0006-00000215',
    message: 'Invalid conditions: conditions must have at least one condition.',
  },
  unknownMode: {
    ec: '0006-00000216',
    message:
      'Invalid Condition: a condition must start with a matching mode, one of {modes}, but found {found}.',
  },
  // The text is copied from OSS ("PostObject errors and troubleshooting"); its code is unverified.
  severalProperties: {
    ec: '0006-00000217',
    message:
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
  },
  itemCount: {
    ec: '0006-00000218',
    message: 'Invalid {kind}: exactly 3 items expected, but found {count}.',
  },
  fieldEmpty: {
    ec: '0006-00000218',
    message: 'Invalid {kind}: the field name must not be empty.',
  },
  rangeReversed: {
    ec: '0006-00000219',
    message: 'Invalid content-length-range: max-len must be greater than or equal to min-len.',
  },
  minLength: {
    ec: '0006-00000220',
    message: 'Invalid content-length-range: min-len must be an integer from 0 to {maximum}.',
  },
  maxLength: {
    ec: '0006-00000221',
    message: 'Invalid content-length-range: max-len must be an integer from 0 to {maximum}.',
  },
  conditionType: {
    ec: '0006-00000222',
    message: 'Invalid Condition: each condition must be an object or an array.',
  },
  lengthType: {
    ec: '0006-00000223',
    message: 'Invalid content-length-range: {item} must be an integer.',
  },
  valueNotText: { ec: '0006-00000224', message: 'Invalid {kind}: the value must be a string.' },
  valueNotAList: {
    ec: '0006-00000224',
    message: 'Invalid {kind}: the value must be an array of strings.',
  },
  fieldNotText: {
    ec: '0006-00000224',
    message: 'Invalid {kind}: the field name must be a string.',
  },
} as const;

type Problem = keyof typeof POLICY_PROBLEMS;
type MessageOf<Name extends Problem> = (typeof POLICY_PROBLEMS)[Name]['message'];

/** Thrown at the first problem of a policy. `parsePolicy` catches it, so it does not leave this folder. */
export class PolicySyntaxError extends Error {
  /** Fine-grained error code. */
  readonly ec: string;

  constructor({ ec, message }: { readonly ec: string; readonly message: string }) {
    super(message);
    this.ec = ec;
  }
}

/** Makes the error of a problem in the table. */
export function policyError<Name extends Problem>(
  name: Name,
  ...[values]: [Placeholder<MessageOf<Name>>] extends [never]
    ? []
    : [values: Values<MessageOf<Name>>]
): PolicySyntaxError {
  const { ec, message } = POLICY_PROBLEMS[name];
  return new PolicySyntaxError({ ec, message: fill(message, values ?? {}) });
}
