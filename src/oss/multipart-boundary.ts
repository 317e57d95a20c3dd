import { OssError } from './errors.ts';
import { parseParameters } from './header-parameters.ts';

/** RFC 2046, 5.1.1, allows fewer characters; what matters is that they are single bytes. */
const BOUNDARY = /^[\x20-\x7e]{0,69}[\x21-\x7e]$/;

/**
 * Finds the boundary of a multipart body in its Content-Type. The error for a missing or unusable one is unverified.
 * @throws OssError
 */
export function readBoundary(contentType: string | undefined): string {
  if (!/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType ?? '')) {
    throw new OssError('RequestIsNotMultiPartContent');
  }
  const boundary = parseParameters(contentType ?? '')?.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    throw new OssError('MalformedPOSTRequest');
  }
  return boundary;
}
