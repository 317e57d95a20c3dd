import { ALGORITHM_V4 } from '../../signatures/credential-v4.ts';
import { ossError } from '../errors.ts';
import type { ParsedRequest } from '../oss-request.ts';
import { checkHeaderV1, checkUrlV1, URL_PARAMETERS_V1 } from './signature-v1.ts';
import { checkHeaderV4, checkUrlV4, URL_PARAMETERS_V4 } from './signature-v4.ts';
import { refuseLongQuery } from './signed-request.ts';
import type { AuthorizeDependencies } from './signed-request.ts';

/** `anonymous`: the request has no signature and no credential. */
export type Authorization = 'signed' | 'anonymous';

/**
 * Checks the signature of a request for an object or the bucket: in the header or in the URL, version 1 or 4. A
 * security token is signed like any other header or parameter, and otherwise ignored. The operation decides whether an
 * anonymous request is allowed.
 *
 * @throws OssError when a signature is invalid, or the request is signed more than once
 */
export function authorizeRequest(
  deps: AuthorizeDependencies,
  request: Omit<ParsedRequest, 'addresses'>,
): Authorization {
  refuseLongQuery(request);
  const header = request.headers.get('authorization');
  const v1Url = URL_PARAMETERS_V1.some((name) => request.query.has(name));
  const v4Url = URL_PARAMETERS_V4.some((name) => request.query.has(name));
  if ([header !== undefined, v1Url, v4Url].filter(Boolean).length > 1) {
    throw ossError('InvalidArgument.signedTwice');
  }
  if (v1Url) checkUrlV1(deps, request);
  else if (v4Url) checkUrlV4(deps, request);
  else if (header?.startsWith(ALGORITHM_V4)) checkHeaderV4(deps, request, header);
  else if (header !== undefined) checkHeaderV1(deps, request, header);
  else return 'anonymous';
  return 'signed';
}
