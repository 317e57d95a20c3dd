import type { OssDependencies } from '../dependencies.ts';
import { storedHeaders } from '../object-headers.ts';
import type { OssRequest } from '../oss-request.ts';
import { forbidsOverwrite } from '../receive-object.ts';
import type { UploadCommand } from '../receive-object.ts';
import { admitSize } from '../size-limit.ts';
import { checkForm } from './check-form.ts';
import type { PostForm } from './read-form.ts';
import { readSuccessAction } from './success-action.ts';
import type { SuccessAction } from './success-action.ts';

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
  const { fields, file } = form;
  const { key, contentType, size } = checkForm(form, {
    bucket,
    bucketKey,
    region,
    now: uploads.clock.now(),
    wallNow: wallClock.now(),
    unsignedCallbacks: callback.unsigned,
    isAccountKey,
  });
  const requestAcl = request.headers.get('x-oss-object-acl');
  const headers = storedHeaders(fields, { contentType, requestAcl, publicRead });
  return {
    key,
    headers,
    success: readSuccessAction(fields, {
      ...{ request, key, headers, callback, publicUrl, fidelity },
    }),
    size: admitSize(size, maxUploadBytes, file.announcedSize),
    forbidOverwrite: forbidsOverwrite(fields),
    bytes: file.bytes,
  };
}
