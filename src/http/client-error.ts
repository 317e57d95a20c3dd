import type { Socket } from 'node:net';

/** What Node itself answers to what is not HTTP, by the code of its error; anything else is a Bad Request. */
const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * Closes a connection that brings something else than HTTP, with a bare response if one can still be written.
 * @param hasResponseBegun - a response has begun, and nothing may be written into it
 */
export function refuseConnection(
  error: NodeJS.ErrnoException,
  socket: Socket,
  hasResponseBegun: boolean,
): void {
  if (socket.writable && !hasResponseBegun) {
    const status = STATUS_LINES[error.code ?? ''] ?? '400 Bad Request';
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroy();
}
