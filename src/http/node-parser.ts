import type { Socket } from 'node:net';

const SKIP_MESSAGE = (): number => 2;

/**
 * Makes the parser of a connection skip all further messages that Node has already read. 60 KiB can be thousands of
 * requests; handling them takes ten times as long as skipping them. Node has no public API for that. If this internal
 * member disappears, only the time gets longer.
 */
export function stopParser(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser !== undefined) Reflect.set(parser, 'onIncoming', SKIP_MESSAGE);
}

/** @returns the parser of a connection, which is internal to Node; undefined when there is none */
export function parserOf(socket: Socket): object | undefined {
  const parser: unknown = Reflect.get(socket, 'parser');
  return typeof parser === 'object' && parser !== null ? parser : undefined;
}
