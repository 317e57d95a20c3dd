import type { FaultPlan } from '../../faults/fault-plan.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import type { OssOperation } from '../dependencies.ts';
import { ossError } from '../errors.ts';
import type { ObjectRequest } from '../oss-request.ts';
import { withDeleteFaults } from './injected-faults.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** Dependencies of DeleteObject. */
export interface DeleteObjectDependencies extends AuthorizeDependencies {
  readonly uploads: Pick<UploadDependencies, 'clock' | 'observer' | 'rules' | 'ledger'>;
  readonly faults: FaultPlan | undefined;
}

/** Checks a request. @throws OssError for a request that is refused */
export type AuthorizeDelete = (request: ObjectRequest) => void | Promise<void>;

/**
 * Creates DeleteObject (OSS "DeleteObject": 204, also when the object does not exist). It refuses to delete a file of a
 * firmware package; delete the package instead.
 */
export function createDeleteObject(deps: DeleteObjectDependencies): OssOperation<ObjectRequest> {
  const plain: AuthorizeDelete = (request) => {
    authorizeDelete(deps, request);
  };
  const authorize = deps.faults === undefined ? plain : withDeleteFaults(deps.faults, plain);
  return async (request, response) => {
    await authorize(request);
    await deleteUpload(deps, request);
    response.statusCode = 204;
    response.end();
  };
}

function authorizeDelete(deps: DeleteObjectDependencies, request: ObjectRequest): void {
  if (authorizeRequest(deps, request) === 'anonymous') {
    throw ossError('AccessDenied.anonymousWrite');
  }
  refuseOtherOperations(request.query);
}

async function deleteUpload(
  { uploads }: DeleteObjectDependencies,
  { key, record }: ObjectRequest,
): Promise<void> {
  const { clock, ledger, observer } = uploads;
  let deleted = false;
  while (!deleted) {
    const upload = await ledger.findUpload(key);
    if (upload === undefined || upload.state === 'issued') return;
    if (upload.state === 'claimed') throw ossError('FileImmutable');
    // Returns false when another request has replaced or claimed the upload in between: look it up again.
    const { locator } = upload.object;
    deleted = await ledger.deleteUpload(key, locator, clock.now(), record.requestId);
  }
  observer.deleted?.(key);
  record.from = 'stored';
  record.to = 'purging';
}
