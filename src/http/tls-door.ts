import type { Server, Socket } from 'node:net';

/** How a connection to a TLS port is opened. */
interface TlsDoor {
  /** Time in milliseconds for the first byte. */
  readonly timeout: number;
  /** Is called for a client that speaks plain HTTP. Nothing else uses its connection. */
  readonly onPlainHttp: (socket: Socket) => void;
}

/**
 * Reads the first bytes of each connection before a TLS server begins its handshake, and keeps plain HTTP away from it:
 * when a handshake has failed, Node has closed the connection below, so that no response can be sent.
 * @param server - its listeners for `connection` up to now get all other connections, with the bytes that were read
 */
export function openTlsDoor(server: Server, { onPlainHttp, timeout }: TlsDoor): void {
  const handshakes = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const close = (): void => {
      socket.destroy();
    };
    socket.setTimeout(timeout).once('timeout', close).once('error', close);
    socket.once('data', (first: Buffer) => {
      socket.pause().setTimeout(0).off('timeout', close);
      if (isPlainHttp(first)) {
        onPlainHttp(socket);
        return;
      }
      socket.off('error', close).unshift(first);
      for (const begin of handshakes) Reflect.apply(begin, server, [socket]);
    });
  });
}

/** HTTP begins with a letter of its method. A record of TLS begins with a type between 20 and 24 (RFC 8446, 5.1). */
function isPlainHttp([first = 0]: Buffer): boolean {
  return /[a-z]/i.test(String.fromCharCode(first));
}
