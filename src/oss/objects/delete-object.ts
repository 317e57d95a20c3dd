import type { ServerResponse } from 'node:http';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import { ossError } from '../errors.ts';
import type { ObjectRequest } from '../oss-request.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** Dependencies of `deleteObject`. */
export interface DeleteObjectDependencies extends AuthorizeDependencies {
  readonly uploads: Pick<UploadDependencies, 'clock' | 'rules' | 'ledger'>;
}

/**
 * Responds to DeleteObject (OSS "DeleteObject": 204, also when the object does not exist). Refuses to delete a file of
 * a firmware package; delete the package instead.
 */
export async function deleteObject(
  deps: DeleteObjectDependencies,
  request: ObjectRequest,
  response: ServerResponse,
): Promise<void> {
  if (authorizeRequest(deps, request) === 'anonymous') {
    throw ossError('AccessDenied.anonymousWrite');
  }
  refuseOtherOperations(request.query);
  await deleteUpload(deps, request.key);
  response.statusCode = 204;
  response.end();
}

async function deleteUpload({ uploads }: DeleteObjectDependencies, key: string): Promise<void> {
  const { clock, ledger } = uploads;
  let deleted = false;
  while (!deleted) {
    const upload = await ledger.findUpload(key);
    if (upload === undefined || upload.state === 'issued') return;
    if (upload.state === 'claimed') throw ossError('FileImmutable');
    // Returns false when another request has replaced or claimed the upload in between: look it up again.
    deleted = await ledger.deleteUpload(key, upload.object.locator, clock.now());
  }
}
