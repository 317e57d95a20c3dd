import type { Duplex } from 'node:stream';

const listeners = new WeakMap<Duplex, Set<() => void>>();

/**
 * Calls back when a connection closes, or at once if it is closed. However many requests of one connection wait for
 * that, the socket has one listener; and unlike the event of a response it also reaches one that waits behind others.
 * @returns a function that takes the callback back
 */
export function onClose(socket: Duplex, callback: () => void): () => void {
  if (socket.destroyed) {
    callback();
    return () => undefined;
  }
  const own = listeners.get(socket) ?? listen(socket);
  own.add(callback);
  return () => {
    own.delete(callback);
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
