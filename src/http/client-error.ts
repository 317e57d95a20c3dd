import { wallClock } from '../lib/clock.ts';
import { formatHttpDate } from './http-date.ts';

/** Why a connection is refused whose bytes are not an HTTP request that Node can parse. */
export interface Refusal {
  /** Status code and its phrase. */
  readonly status: string;
  /** For the client: what is wrong, what was expected, what to do. */
  readonly text: string;
  /** For the log. */
  readonly message: string;
}

/** Limit in bytes for the request line and the headers together. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Time in milliseconds for the headers of a request to arrive. */
export const HEADERS_TIMEOUT_MS = 20_000;

const NOT_HTTP = 'refused bytes that are not a valid HTTP request';
const BAD_REQUEST = '400 Bad Request';
const PERCENT_ENCODE =
  'Percent-encode spaces and all bytes outside ASCII, e.g. %E5%9B%BA%E4%BB%B6 for \u56fa\u4ef6.';

/** The statuses are those that Node itself sends for these errors. */
const REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: '431 Request Header Fields Too Large',
      text:
        `The request line and the headers have more than ${String(MAX_HEADER_BYTES)} bytes together. ` +
        'Send fewer or shorter ones. The parameters of an API call can be sent in an urlencoded body.',
      message: NOT_HTTP,
    },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    {
      status: '413 Payload Too Large',
      text: 'The chunks of the body have too many extensions. Send them without extensions.',
      message: NOT_HTTP,
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    {
      status: '408 Request Timeout',
      text:
        `The headers of a request must arrive within ${String(HEADERS_TIMEOUT_MS / 1000)} seconds. ` +
        'Connect again, and send them at once.',
      message: 'the headers of a request did not arrive in time',
    },
  ],
  // Node's parser refuses these bytes also with `insecureHTTPParser`.
  [
    'HPE_INVALID_URL',
    badRequest(`The URL has bytes that are not allowed there. ${PERCENT_ENCODE}`),
  ],
  [
    'HPE_INVALID_CONSTANT',
    badRequest(
      `The request line must be: a method, a URL without spaces, HTTP/1.1. ${PERCENT_ENCODE}`,
    ),
  ],
  [
    'HPE_INVALID_EOF_STATE',
    badRequest('The connection ended before the request was complete. Send all of it.'),
  ],
  [
    'HPE_PAUSED_H2_UPGRADE',
    badRequest('The client began HTTP/2, which is not supported. Use HTTP/1.1.'),
  ],
]);

/**
 * The client of the plain port reads it as a failed handshake. An HTTP response is more useful to it than an alert of
 * TLS: Go's client reports "server gave HTTP response to HTTPS client", and OpenSSL "wrong version number".
 */
const TLS_ON_PLAIN_PORT: Refusal = {
  ...badRequest(
    'This port speaks plain HTTP, and the client began a TLS handshake. Use http:// instead of https://, ' +
      'or start the gateway with a certificate (OTA_GATEWAY_TLS_CERT and OTA_GATEWAY_TLS_KEY).',
  ),
  message: 'a client spoke TLS to the plain port',
};

/** The first sentence is that of nginx, and so of the platform (iotkit-embedded#103). */
export const PLAIN_ON_TLS_PORT: Refusal = {
  ...badRequest(
    'The plain HTTP request was sent to HTTPS port. This port speaks TLS: use https:// instead of http://.',
  ),
  message: 'a client spoke plain HTTP to the TLS port',
};

/** RFC 9110, 9.3.6: CONNECT is for proxies. */
export const NO_PROXY: Refusal = {
  status: '405 Method Not Allowed',
  text: 'This server is not a proxy. Send the request to it directly, without CONNECT.',
  message: 'a client used the gateway as a proxy',
};

/** RFC 9112, 3.2: an HTTP/1.1 request without the header Host gets the response 400. */
export const NO_HOST: Refusal = badRequest(
  'The header Host is missing. HTTP/1.1 requires it: name the host and the port of this server.',
);

function badRequest(text: string): Refusal {
  return { status: BAD_REQUEST, text, message: NOT_HTTP };
}

/** An error of Node's HTTP server. */
export interface ClientError extends NodeJS.ErrnoException {
  /** What the parser or OpenSSL says; never has bytes of the client. */
  readonly reason?: string;
  /** What the parser was reading. */
  readonly rawPacket?: Buffer;
}

/** Whether the client is still there, and sent something that cannot be parsed or came too late. */
export function isRefusable({ code = '' }: ClientError): boolean {
  return code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
}

/** Whether a handshake failed, or a record of TLS was wrong. */
export function isTlsFailure({ code = '' }: ClientError): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
}

/** @returns the refusal for an error with {@link isRefusable} */
export function refusalOf({ code = '', rawPacket, reason }: ClientError): Refusal {
  if (code === 'HPE_INVALID_METHOD' && isTlsHandshake(rawPacket)) return TLS_ON_PLAIN_PORT;
  const found = REFUSALS.get(code);
  if (found !== undefined) return found;
  const detail = reason === undefined ? '' : `: ${printable(reason)}`;
  return badRequest(`This is not a valid HTTP/1.1 request${detail}. Send one.`);
}

/** The first bytes of a TLS record with a handshake (RFC 8446, 5.1). */
function isTlsHandshake(bytes: Buffer | undefined): boolean {
  return bytes?.[0] === 0x16 && bytes[1] === 0x03;
}

/** @returns a reason as short text of ASCII characters */
export function printable(reason: string): string {
  return reason.slice(0, 100).replace(/[^ -~]/g, '?');
}

/** @returns the body of the response */
export function bodyOf({ text }: Refusal): Buffer {
  return Buffer.from(`${text}\n`);
}

/** The headers of every refusal. */
export function headersOf(body: Buffer): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    // SDKs read it before they report an error (RFC 9110, 6.6.1; alibabacloud-oss-python-sdk-v2).
    Date: formatHttpDate(wallClock.now()),
    Connection: 'close',
  };
}
