import type { IncomingMessage } from 'node:http';
import { isOwnOrigin } from '../http/own-page.ts';
import { OperatorError } from '../operator/errors.ts';
import { PAGE_HEADER } from './shapes.ts';

type PageRequest = Pick<IncomingMessage, 'headers' | 'method' | 'socket'>;

/**
 * Refuses a request that another web page may have sent with the cookie of a session. SameSite keeps the cookie from
 * other sites, but another port of the same host is the same site. A change also needs a header that no form can send.
 * @throws OperatorError
 */
export function requireOwnPage(request: PageRequest, publicUrl: string | undefined): void {
  const page = foreignPageOf(request, publicUrl);
  if (page !== undefined) {
    throw new OperatorError(
      'forbidden',
      'ForeignPage',
      `a session of the console is only for its own page, not for ${page}`,
      'behind a proxy that changes the Host header, set OTA_GATEWAY_PUBLIC_URL',
      'cors',
    );
  }
  const { headers, method } = request;
  if (method === 'GET' || method === 'HEAD' || headers[PAGE_HEADER] === '1') return;
  throw new OperatorError(
    'forbidden',
    'MissingHeader',
    `a change with a session of the console needs the header ${PAGE_HEADER}: 1`,
  );
}

/** @returns the page that has sent a request, when it is not our own */
function foreignPageOf(request: PageRequest, publicUrl: string | undefined): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers;
  // Browsers send it over HTTPS and to this machine. `none`: a person has opened the address.
  if (site === 'same-origin') return undefined;
  if (site !== undefined && site !== 'none') return origin ?? 'another site';
  return origin === undefined || isOwnOrigin(request, origin, publicUrl) ? undefined : origin;
}
