import { isFresh, MAX_SKEW } from '../../http/client-date.ts';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import {
  ALGORITHM_V4,
  parseCredentialV4,
  parseDateV4,
  PRODUCT,
} from '../../signatures/credential-v4.ts';
import type { CredentialV4 } from '../../signatures/credential-v4.ts';
import { argument, ossError, unknownAccessKey } from '../errors.ts';
import type { OssErrorName } from '../errors.ts';
import { AUTH_FIELDS, quote } from '../fields.ts';
import type { FormFields } from '../fields.ts';

/** Values that the check of a form's signature needs. Times are Unix milliseconds. */
export interface FormVerifier {
  readonly bucketKey: BucketKey;
  readonly region: string;
  /** By the gateway's clock, which a test can move. */
  readonly now: number;
  /** By the machine's clock, which SDKs date their forms with. */
  readonly wallNow: number;
  /** Whether an access key is one of an account. */
  readonly isAccountKey?: (accessKeyId: string) => boolean;
}

/** A policy whose signature is verified. */
export interface SignedPolicy {
  /** Base64 text, exactly as it was signed. */
  readonly policy: string;
  readonly version: 1 | 4;
}

const MAX_AGE_MS = 7 * 24 * 60 * 60_000;

/**
 * Verifies the signature of a form, without parsing its policy.
 *
 * Version 1 has the three fields of the PostObject page, version 4 those of "Signature version 4". A form with
 * `x-oss-signature-version` has version 4. The `ec` are those of the EC pages 0002-00000701 to -710.
 *
 * @throws OssError when the form is anonymous, or its signature is invalid
 */
export function verifyForm(fields: FormFields, verifier: FormVerifier): SignedPolicy {
  const hasV1 = AUTH_FIELDS.v1.some((name) => fields.has(name));
  const hasV4 = AUTH_FIELDS.v4.some((name) => fields.has(name));
  if (!hasV1 && !hasV4) throw ossError('AccessDenied.anonymousForm');
  const signedV1 = fields.has('ossaccesskeyid') || fields.has('signature');
  if (fields.has('x-oss-signature-version') || (hasV4 && !signedV1)) {
    return verifyV4(fields, verifier);
  }
  return verifyV1(fields, verifier);
}

function verifyV1(fields: FormFields, verifier: FormVerifier): SignedPolicy {
  const accessKeyId = requireField(fields, ACCESS_KEY_ID);
  const policy = requireField(fields, POLICY);
  const provided = requireField(fields, SIGNATURE_V1);
  const bucketKey = findKey(accessKeyId, verifier);
  checkSignature(bucketKey.signPostV1(policy), { accessKeyId, provided, policy });
  return { policy, version: 1 };
}

function verifyV4(fields: FormFields, verifier: FormVerifier): SignedPolicy {
  const version = requireField(fields, VERSION_V4);
  if (version !== ALGORITHM_V4) {
    const elements = argument(VERSION_V4.name, quote(version));
    throw ossError('InvalidArgument.formVersion', { elements });
  }
  const credentialText = requireField(fields, CREDENTIAL_V4);
  const date = requireField(fields, DATE_V4);
  const policy = requireField(fields, POLICY);
  const provided = requireField(fields, SIGNATURE_V4);

  const credential = parseCredentialV4(credentialText);
  if (credential?.product !== PRODUCT) {
    const elements = argument(CREDENTIAL_V4.name, quote(credentialText));
    throw ossError('InvalidArgument.formCredential', { elements });
  }
  const bucketKey = findKey(credential.accessKeyId, verifier);
  checkScope(credential, credentialText, date, verifier);
  checkSignature(bucketKey.signPostV4(credential, policy), {
    accessKeyId: credential.accessKeyId,
    provided,
    policy,
  });
  return { policy, version: 4 };
}

/** Checks day, region and time of a V4 form. Codes and texts are unverified; the limits are those of the V4 page. */
function checkScope(
  credential: CredentialV4,
  credentialText: string,
  dateText: string,
  { region, now, wallNow }: FormVerifier,
): void {
  const date = parseDateV4(dateText);
  if (date === undefined) {
    const elements = argument(DATE_V4.name, quote(dateText));
    throw ossError('InvalidArgument.formDate', { elements });
  }
  const elements = argument(CREDENTIAL_V4.name, quote(credentialText));
  if (!dateText.startsWith(credential.date)) {
    throw ossError('InvalidArgument.formCredentialDate', { values: { date: dateText }, elements });
  }
  if (credential.region !== region) {
    throw ossError('InvalidArgument.formCredentialRegion', { values: { region }, elements });
  }
  if (!isFresh(date, [now, wallNow], MAX_AGE_MS)) {
    throw ossError('RequestTimeTooSkewed', {
      elements: {
        RequestTime: new Date(date).toISOString(),
        ServerTime: new Date(now).toISOString(),
        MaxAllowedSkewMilliseconds: String(now > date ? MAX_AGE_MS : MAX_SKEW),
      },
    });
  }
}

/** @throws OssError when the bucket has no such key */
function findKey(accessKeyId: string, { bucketKey, isAccountKey, now }: FormVerifier): BucketKey {
  const found = bucketKey.find(accessKeyId, now);
  if (found !== undefined) return found;
  throw unknownAccessKey(quote(accessKeyId), isAccountKey?.(accessKeyId) === true);
}

/** The elements are those of signed requests; whether OSS has them for forms is unverified. */
function checkSignature(
  calculated: string,
  form: { readonly accessKeyId: string; readonly provided: string; readonly policy: string },
): void {
  if (equalInConstantTime(calculated, form.provided)) return;
  throw ossError('SignatureDoesNotMatch', {
    elements: {
      OSSAccessKeyId: form.accessKeyId,
      SignatureProvided: quote(form.provided),
      StringToSign: form.policy,
    },
  });
}

type MissingField = OssErrorName & `InvalidArgument.${string}${'Missing' | 'Empty'}`;

/** A required field, with the causes of the errors when it is absent or empty. */
interface AuthField {
  readonly name: string;
  readonly missing: MissingField;
  /** Undefined when it is the same as `missing`. */
  readonly empty?: MissingField;
}

const ACCESS_KEY_ID = {
  name: 'OSSAccessKeyId',
  missing: 'InvalidArgument.accessKeyIdMissing',
  empty: 'InvalidArgument.accessKeyIdEmpty',
} as const;
const SIGNATURE_V1 = {
  name: 'Signature',
  missing: 'InvalidArgument.signatureMissing',
  empty: 'InvalidArgument.signatureEmpty',
} as const;
const POLICY = { name: 'policy', missing: 'InvalidArgument.policyMissing' } as const;
const VERSION_V4 = {
  name: 'x-oss-signature-version',
  missing: 'InvalidArgument.formVersionMissing',
} as const;
const CREDENTIAL_V4 = { ...ACCESS_KEY_ID, name: 'x-oss-credential' } as const;
const DATE_V4 = { name: 'x-oss-date', missing: 'InvalidArgument.formDateMissing' } as const;
const SIGNATURE_V4 = { ...SIGNATURE_V1, name: 'x-oss-signature' } as const;

function requireField(fields: FormFields, { name, missing, empty = missing }: AuthField): string {
  const value = fields.get(name.toLowerCase());
  if (value !== undefined && value !== '') return value;
  throw ossError(value === undefined ? missing : empty, { elements: argument(name, '') });
}
