import type { BucketKey } from '../../signatures/bucket-key.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { ALGORITHM_V4, parseCredentialV4, parseDateV4 } from '../../signatures/credential-v4.ts';
import type { CredentialV4 } from '../../signatures/credential-v4.ts';
import { invalidArgument, OssError } from '../errors.ts';
import { AUTH_FIELDS, quote } from '../fields.ts';
import type { FormFields } from '../fields.ts';

/** What a form's signature is checked with. Times are Unix milliseconds. */
export interface FormVerifier {
  readonly bucketKey: BucketKey;
  readonly region: string;
  /** By the gateway's clock, which a test may have moved. */
  readonly now: number;
  /** By the machine's clock, which a real SDK dates its forms with. */
  readonly wallNow: number;
}

/** A policy that its holder has proven to be signed with the bucket key. */
export interface SignedPolicy {
  /** Base64 text, exactly as it was signed. */
  readonly policy: string;
  readonly version: 1 | 4;
}

const MAX_SKEW_MS = 15 * 60_000;
const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/**
 * Checks the signature of a form, without looking into its policy.
 *
 * Version 1 has the three fields of the PostObject page; version 4 those of "Signature version 4". Which it is
 * says `x-oss-signature-version`. The numbers are the ones of the EC pages 0002-00000701 to -710.
 *
 * @throws OssError when the form is anonymous, or not well signed
 */
export function verifyForm(fields: FormFields, verifier: FormVerifier): SignedPolicy {
  const hasV1 = AUTH_FIELDS.v1.some((name) => fields.has(name));
  const hasV4 = AUTH_FIELDS.v4.some((name) => fields.has(name));
  if (!hasV1 && !hasV4) {
    // Which of OSS's texts for anonymous requests it has for a form is unverified.
    throw new OssError('AccessDenied', {
      message: 'Anonymous user has no right to access this bucket.',
    });
  }
  const signedV1 = fields.has('ossaccesskeyid') || fields.has('signature');
  if (fields.has('x-oss-signature-version') || (hasV4 && !signedV1)) {
    return verifyV4(fields, verifier);
  }
  return verifyV1(fields, verifier);
}

function verifyV1(fields: FormFields, { bucketKey }: FormVerifier): SignedPolicy {
  const accessKeyId = required(fields, ACCESS_KEY_ID);
  const policy = required(fields, POLICY);
  const provided = required(fields, SIGNATURE_V1);
  checkAccessKey(accessKeyId, bucketKey);
  checkSignature(bucketKey.signPostV1(policy), { accessKeyId, provided, policy });
  return { policy, version: 1 };
}

function verifyV4(fields: FormFields, verifier: FormVerifier): SignedPolicy {
  const version = required(fields, VERSION_V4);
  if (version !== ALGORITHM_V4) {
    throw refusal(VERSION_V4, version, `The signature version must be ${ALGORITHM_V4}.`);
  }
  const credentialText = required(fields, CREDENTIAL_V4);
  const date = required(fields, DATE_V4);
  const policy = required(fields, POLICY);
  const provided = required(fields, SIGNATURE_V4);

  const credential = parseCredentialV4(credentialText);
  if (credential === undefined) {
    const message =
      'The credential must be <AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request.';
    throw invalidArgument(CREDENTIAL_V4.name, quote(credentialText), message, '0002-00000710');
  }
  checkAccessKey(credential.accessKeyId, verifier.bucketKey);
  checkScope(credential, credentialText, date, verifier);
  checkSignature(verifier.bucketKey.signPostV4(credential, policy), {
    accessKeyId: credential.accessKeyId,
    provided,
    policy,
  });
  return { policy, version: 4 };
}

/** Day, region and time of a V4 form. Codes and texts are unverified; the limits are those of the V4 page. */
function checkScope(
  credential: CredentialV4,
  credentialText: string,
  dateText: string,
  { region, now, wallNow }: FormVerifier,
): void {
  const date = parseDateV4(dateText);
  if (date === undefined) throw refusal(DATE_V4, dateText, 'The date must be YYYYMMDDTHHMMSSZ.');
  if (!dateText.startsWith(credential.date)) {
    const message = `The date of the credential must be the day of x-oss-date, ${dateText}.`;
    throw refusal({ name: CREDENTIAL_V4.name, ec: DATE_V4.ec }, credentialText, message);
  }
  if (credential.region !== region) {
    const message = `The region of the credential must be ${region}.`;
    throw invalidArgument(CREDENTIAL_V4.name, quote(credentialText), message);
  }
  const fresh = [now, wallNow].some((at) => date <= at + MAX_SKEW_MS && date >= at - MAX_AGE_MS);
  if (!fresh) {
    throw new OssError('RequestTimeTooSkewed', {
      details: [
        ['RequestTime', new Date(date).toISOString()],
        ['ServerTime', new Date(now).toISOString()],
        ['MaxAllowedSkewMilliseconds', String(MAX_SKEW_MS)],
      ],
    });
  }
}

function checkAccessKey(accessKeyId: string, bucketKey: BucketKey): void {
  if (accessKeyId === bucketKey.accessKeyId) return;
  throw new OssError('InvalidAccessKeyId', { details: [['OSSAccessKeyId', quote(accessKeyId)]] });
}

/** The extras are those of signed requests; whether OSS gives them for forms is unverified. */
function checkSignature(
  calculated: string,
  form: { readonly accessKeyId: string; readonly provided: string; readonly policy: string },
): void {
  if (equalInConstantTime(calculated, form.provided)) return;
  throw new OssError('SignatureDoesNotMatch', {
    ec: '0002-00000705',
    details: [
      ['OSSAccessKeyId', form.accessKeyId],
      ['SignatureProvided', quote(form.provided)],
      ['StringToSign', form.policy],
    ],
  });
}

interface AuthField {
  readonly name: string;
  /** Message when the field is absent or empty. */
  readonly message?: string;
  /** Fine-grained code of an absent or bad field. */
  readonly ec: string;
  /** Fine-grained code of an empty field, where it is another one. */
  readonly emptyEc?: string;
}

const ACCESS_KEY_ID: AuthField = {
  name: 'OSSAccessKeyId',
  message: 'Post request accessKeyId is empty.',
  ec: '0002-00000706',
  emptyEc: '0002-00000707',
};
// The text is unverified.
const POLICY: AuthField = {
  name: 'policy',
  message: 'Post request policy is empty.',
  ec: '0002-00000702',
};
const SIGNATURE: Omit<AuthField, 'name'> = {
  message: 'Post request signature is empty.',
  ec: '0002-00000703',
  emptyEc: '0002-00000704',
};
const SIGNATURE_V1: AuthField = { name: 'Signature', ...SIGNATURE };
const SIGNATURE_V4: AuthField = { name: 'x-oss-signature', ...SIGNATURE };
const VERSION_V4: AuthField = { name: 'x-oss-signature-version', ec: '0002-00000701' };
const CREDENTIAL_V4: AuthField = {
  ...ACCESS_KEY_ID,
  name: 'x-oss-credential',
};
const DATE_V4: AuthField = { name: 'x-oss-date', ec: '0002-00000709' };

function required(fields: FormFields, field: AuthField): string {
  const value = fields.get(field.name.toLowerCase());
  if (value !== undefined && value !== '') return value;
  const ec = value === undefined ? field.ec : (field.emptyEc ?? field.ec);
  const message = field.message ?? `Post request ${field.name} is empty.`;
  throw invalidArgument(field.name, '', message, ec);
}

function refusal(field: AuthField, value: string, message: string): OssError {
  return invalidArgument(field.name, quote(value), message, field.ec);
}
