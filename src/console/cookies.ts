import type { IncomingMessage } from 'node:http';
import { schemeOf } from '../http/peer.ts';

/** Cookies of one name that are read: a browser may have one for each path. */
const MAX_READ = 8;

/** @returns the values of a cookie, in the order of the header */
export function cookiesOf({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string[] {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs
    .filter((pair) => pair.startsWith(`${name}=`))
    .slice(0, MAX_READ)
    .map((pair) => pair.slice(name.length + 1));
}

/** The parts of a cookie that differ. */
interface Cookie {
  readonly name: string;
  /** Empty to remove it. */
  readonly value: string;
  readonly path: string;
  readonly maxAgeMs: number;
}

/** @returns the header Set-Cookie; no script can read the cookie, and no page of another site sends it */
export function formatCookie(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  { maxAgeMs, name, path, value }: Cookie,
): string {
  return [
    `${name}=${value}`,
    `Path=${path}`,
    `Max-Age=${String(Math.floor(maxAgeMs / 1000))}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(schemeOf(request) === 'https' ? ['Secure'] : []),
  ].join('; ');
}
