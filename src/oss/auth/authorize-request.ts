import type { IncomingMessage } from 'node:http';
import { ALGORITHM_V4 } from '../../signatures/credential-v4.ts';
import { ossError } from '../errors.ts';
import type { ObjectAddress } from '../object-address.ts';
import { checkHeaderV1, checkUrlV1, URL_PARAMETERS_V1 } from './signature-v1.ts';
import { checkHeaderV4, checkUrlV4, URL_PARAMETERS_V4 } from './signature-v4.ts';
import { asSigned } from './signed-request.ts';
import type { AuthorizeDependencies } from './signed-request.ts';

/** `anonymous`: the request names no credential at all. */
export type Authorization = 'signed' | 'anonymous';

/**
 * Checks the signature of a request for an object or the bucket: in the header or in the URL, version 1 or 4. A
 * security token is signed like any other header or parameter, and otherwise ignored. What an anonymous request
 * may do is for the operation to say.
 *
 * @throws OssError when the request is signed, but not well, or more than once
 */
export function authorizeRequest(
  deps: AuthorizeDependencies,
  request: Pick<IncomingMessage, 'url' | 'method' | 'headers'>,
  address: Extract<ObjectAddress, { kind: 'bucket' | 'object' }>,
): Authorization {
  const key = address.kind === 'object' ? address.key : undefined;
  const signed = asSigned(request, deps.uploads.rules.bucket, key);
  const header = signed.headers.get('authorization');
  const v1Url = URL_PARAMETERS_V1.some((name) => signed.query.has(name));
  const v4Url = URL_PARAMETERS_V4.some((name) => signed.query.has(name));
  if ([header !== undefined, v1Url, v4Url].filter(Boolean).length > 1) {
    throw ossError('InvalidArgument.signedTwice');
  }
  if (v1Url) checkUrlV1(deps, signed);
  else if (v4Url) checkUrlV4(deps, signed);
  else if (header?.startsWith(ALGORITHM_V4)) checkHeaderV4(deps, signed, header);
  else if (header !== undefined) checkHeaderV1(deps, signed, header);
  else return 'anonymous';
  return 'signed';
}
