import type { FaultPlan } from '../../faults/fault-plan.ts';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import type { OssOperation } from '../dependencies.ts';
import { ossError } from '../errors.ts';
import { storedHeaders } from '../object-headers.ts';
import type { ObjectRequest } from '../oss-request.ts';
import { forbidsOverwrite, receiveObject } from '../receive-object.ts';
import type { UploadCommand } from '../receive-object.ts';
import { contentLength, openBody } from '../request-body.ts';
import { digestHeaders } from '../response-headers.ts';
import { admitSize } from '../size-limit.ts';
import { withPutFaults } from './injected-faults.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** Dependencies of PutObject. */
export interface PutObjectDependencies extends AuthorizeDependencies {
  readonly uploads: UploadDependencies;
  /** Whether the operator allows reads without a signature. */
  readonly publicRead: boolean;
  readonly faults: FaultPlan | undefined;
}

/** Authorizes a request. @throws OssError for a request that is refused */
export type AuthorizePut = (request: ObjectRequest) => UploadCommand | Promise<UploadCommand>;

/**
 * Creates PutObject (OSS "PutObject"), which stores a body without a form, signed with the bucket key, with the same
 * limits and durability as PostObject. It compares a `Content-MD5` with the body before the upload is recorded.
 * It throws OssError for a refusal; ClientVanished, BrokenRequest or LostBody when the body is incomplete.
 */
export function createPutObject(deps: PutObjectDependencies): OssOperation<ObjectRequest> {
  const { faults, uploads, wallClock } = deps;
  const plain: AuthorizePut = (request) => authorizePut(deps, request);
  const authorize = faults === undefined ? plain : withPutFaults(faults, plain);
  return async (request, response) => {
    const object = await receiveObject(uploads, await authorize(request), request.record);
    for (const [name, value] of digestHeaders(object)) response.setHeader(name, value);
    response.setHeader('x-oss-server-time', String(elapsedSince(request.receivedAt, wallClock)));
    response.setHeader('Content-Length', 0);
    response.end();
  };
}

function authorizePut(deps: PutObjectDependencies, request: ObjectRequest): UploadCommand {
  const { headers, key, query, raw } = request;
  if (authorizeRequest(deps, request) === 'anonymous') {
    throw ossError('AccessDenied.anonymousWrite');
  }
  refuseOtherOperations(query);
  refuseOtherHeaders(headers);
  const { maxUploadBytes } = deps.uploads.rules;
  const limits = admitSize({ min: 0, max: undefined }, maxUploadBytes, contentLength(headers));
  allowSmallChunks(raw);
  return {
    key,
    size: { ...limits, isExact: true },
    headers: storedHeaders(headers, {
      contentType: headers.get('content-type'),
      requestAcl: undefined,
      publicRead: deps.publicRead,
    }),
    forbidOverwrite: forbidsOverwrite(headers),
    bytes: openBody(request),
  };
}

/**
 * Headers that select another operation, or make it depend on the object that exists already. The error has them in the
 * spelling of OSS ("Error responses").
 */
const OTHER_HEADERS = [
  ...['If-Match', 'If-Modified-Since', 'If-None-Match', 'If-Unmodified-Since'],
  ...['x-oss-callback', 'x-oss-copy-source'],
];

function refuseOtherHeaders(headers: ReadonlyMap<string, string>): void {
  const other = OTHER_HEADERS.find((name) => headers.has(name.toLowerCase()));
  if (other !== undefined) throw ossError('NotImplemented', { elements: { Header: other } });
}
