import type { Duplex } from 'node:stream';

const listeners = new WeakMap<Duplex, Set<() => void>>();

/**
 * Calls back when a connection closes, or at once if it is already closed. The socket has only one listener for all
 * requests of the connection. Unlike the `close` event of a response, this also works for a request that waits behind
 * others.
 * @returns a function that removes the callback
 */
export function onClose(socket: Duplex, callback: () => void): () => void {
  if (socket.destroyed) {
    callback();
    return () => undefined;
  }
  const callbacks = listeners.get(socket) ?? listen(socket);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
  };
}

function listen(socket: Duplex): Set<() => void> {
  const callbacks = new Set<() => void>();
  listeners.set(socket, callbacks);
  socket.once('close', () => {
    for (const callback of callbacks) callback();
  });
  return callbacks;
}
