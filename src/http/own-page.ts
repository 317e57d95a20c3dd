import { schemeOf } from './peer.ts';
import type { OriginRequest } from './peer.ts';

/**
 * Whether a web page is of the gateway itself: of its public URL, or of the host and port that the request was sent to.
 * The scheme is compared only when the gateway knows that it is HTTPS: a proxy may have ended that in front.
 * @param origin - the header `Origin` of the request
 */
export function isOwnOrigin(
  request: OriginRequest,
  origin: string,
  publicUrl: string | undefined,
): boolean {
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
  const [, scheme, host] = /^(https?):\/\/(.+)$/.exec(origin) ?? [];
  if (host === undefined || host !== request.headers.host?.toLowerCase()) return false;
  return scheme === 'https' || schemeOf(request) === 'http';
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Whether a request was sent to this machine by a name that can only mean this machine. */
export function isUnderLoopbackName({ headers }: Pick<OriginRequest, 'headers'>): boolean {
  return LOOPBACK_HOST.test(headers.host ?? '');
}
