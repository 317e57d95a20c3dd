import type { Socket } from 'node:net';

/** The statuses that Node itself sends for these parser errors; 400 for all others. */
const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * Closes a connection whose bytes are not HTTP. Sends a response without a body first, if one can still be written.
 * @param hasResponseBegun - a response has begun, so that no other one may be written
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
