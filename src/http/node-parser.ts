import type { Socket } from 'node:net';

const SKIP_MESSAGE = (): number => 2;

/**
 * Keeps Node from making requests of all that it has read of a connection already: 60 KiB are thousands, which take ten
 * times as long as it takes to skip them. Nothing public does that. Without this member of Node's nothing would change
 * but the time.
 */
export function stopParser(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser !== undefined) Reflect.set(parser, 'onIncoming', SKIP_MESSAGE);
}

/** @returns Node's own parser of a connection, which is not public */
export function parserOf(socket: Socket): object | undefined {
  const parser: unknown = Reflect.get(socket, 'parser');
  return typeof parser === 'object' && parser !== null ? parser : undefined;
}
