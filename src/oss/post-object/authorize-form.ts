import type { BucketKey } from '../../signatures/bucket-key.ts';
import { parseCredentialV4 } from '../../signatures/credential-v4.ts';
import type { OssDependencies } from '../dependencies.ts';
import { OssError } from '../errors.ts';
import type { FormFields } from '../fields.ts';
import { storedHeaders } from '../object-headers.ts';
import type { OssRequest } from '../oss-request.ts';
import { forbidsOverwrite } from '../receive-object.ts';
import type { UploadCommand } from '../receive-object.ts';
import { admitSize } from '../size-limit.ts';
import type { CallbackRule } from './callback-target.ts';
import { checkForm } from './check-form.ts';
import type { FormRules } from './check-form.ts';
import { verifyForm } from './form-signature.ts';
import type { FormFile, PostForm } from './read-form.ts';
import { createSuccessAction, readSuccess } from './success-action.ts';
import type { FormRequest, Success, SuccessAction } from './success-action.ts';

/** The upload of a form, and its response. Keeps no other fields in memory, because an upload may take hours. */
export interface FormCommand extends UploadCommand {
  readonly success: SuccessAction;
}

/** Authorizes a form. @throws OssError for a form that is refused */
export type AuthorizeForm = (
  form: PostForm,
  request: OssRequest,
) => FormCommand | Promise<FormCommand>;

/** Checks the fields before the file of a form, and returns the upload that they ask for. */
export function authorizeForm(
  deps: OssDependencies,
  form: PostForm,
  request: OssRequest,
): FormCommand {
  const { bucketKey, callback, fidelity, isAccountKey, publicRead, publicUrl, region } = deps;
  const { uploads, wallClock } = deps;
  const { bucket, maxUploadBytes } = uploads.rules;
  const rules = {
    bucket,
    bucketKey,
    region,
    now: uploads.clock.now(),
    wallNow: wallClock.now(),
    unsignedCallbacks: callback.unsigned,
    isAccountKey,
    callback,
    maxUploadBytes,
    publicRead,
  };
  const { forbidOverwrite, headers, key, size, success } = planForm(form, rules, request);
  const upload = { request, key, headers, callback, publicUrl, fidelity };
  return {
    key,
    headers,
    success: createSuccessAction(success, upload),
    size,
    forbidOverwrite,
    bytes: form.file.bytes,
  };
}

/** Values that all checks of the fields of a form need. */
export interface FormPlanRules extends FormRules {
  readonly callback: CallbackRule;
  /** The largest file that the operator allows, in bytes. */
  readonly maxUploadBytes: number;
  /** Whether the operator allows reads without a signature. */
  readonly publicRead: boolean;
}

interface ReadFields {
  readonly fields: FormFields;
  readonly file: Pick<FormFile, 'announcedSize' | 'contentType' | 'filename'>;
}

/** What a form asks for. */
interface FormPlan extends Pick<FormCommand, 'forbidOverwrite' | 'headers' | 'key' | 'size'> {
  readonly success: Success;
}

/** Makes every check that needs no more than the fields of a form. @throws OssError for a form that is refused */
function planForm(
  { fields, file }: ReadFields,
  rules: FormPlanRules,
  request: FormRequest,
): FormPlan {
  const { callback, maxUploadBytes, publicRead } = rules;
  const { key, contentType, size } = checkForm({ fields, file }, rules);
  const requestAcl = request.headers.get('x-oss-object-acl');
  const headers = storedHeaders(fields, { contentType, requestAcl, publicRead });
  return {
    key,
    headers,
    success: readSuccess(fields, { request, key, headers, callback }),
    size: admitSize(size, maxUploadBytes, file.announcedSize),
    forbidOverwrite: forbidsOverwrite(fields),
  };
}

/** Why a form would be refused. */
export interface FormRefusal {
  readonly error: OssError;
  /** Whether its signature is right, so that it is refused for something else. */
  readonly isSigned: boolean;
}

/**
 * Checks the fields of a form as PostObject does, without a file and without any effect.
 * @param fields - by lower-case name
 * @returns the refusal; undefined for fields that PostObject would accept
 */
export function judgeForm(fields: FormFields, rules: FormPlanRules): FormRefusal | undefined {
  const request = { ...NO_REQUEST, bucket: rules.bucket };
  const error = refusalOf(() => planForm({ fields, file: NO_FILE }, rules, request));
  if (error === undefined) return undefined;
  return { error, isSigned: refusalOf(() => verifyForm(fields, rules)) === undefined };
}

function refusalOf(check: () => unknown): OssError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof OssError) return error;
    throw error;
  }
}

/** Its name stands for that of any file. */
const NO_FILE = { filename: 'file', contentType: '', announcedSize: undefined };

/** Stands for the request of any client. Its id is as long as that of any. */
const NO_REQUEST = {
  id: '0'.repeat(24),
  headers: new Map<string, string>(),
  raw: { socket: {} },
  record: { peer: undefined },
};

/**
 * Signs a form whose signature is not known, so that the rest of it can be judged.
 * @returns the fields with the signature that they should have, if their access key is the one of the bucket
 */
export function signFields(fields: FormFields, bucketKey: BucketKey, now: number): FormFields {
  const policy = fields.get('policy') ?? '';
  const credential = parseCredentialV4(fields.get('x-oss-credential') ?? '');
  const isV4 = fields.has('x-oss-signature-version');
  const accessKeyId = isV4 ? credential?.accessKeyId : fields.get('ossaccesskeyid');
  const key = bucketKey.find(accessKeyId ?? '', now);
  if (!isV4) return new Map(fields).set('signature', key?.signPostV1(policy) ?? UNSIGNED);
  const signature = credential && key?.signPostV4(credential, policy);
  return new Map(fields).set('x-oss-signature', signature ?? UNSIGNED);
}

/** It is refused for its access key before its signature is compared. */
const UNSIGNED = '-';
