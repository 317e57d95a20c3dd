import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Sends bytes over a connection of their own. @returns all that is answered until the server closes it */
export async function exchangeRaw(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return buffer(socket);
}

/** A request that asks for its connection to be closed. Characters of its head are bytes. */
export function rawRequest(
  line: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string = '',
): Buffer {
  const content = Buffer.from(body);
  const length = content.length === 0 ? {} : { 'Content-Length': String(content.length) };
  const lines = Object.entries({ Connection: 'close', ...length, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = Buffer.from(`${line} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  return Buffer.concat([head, content]);
}

/** What a refusal may have in bytes, head and all. */
export function refusalLimit(request: Buffer): number {
  return 2 * request.length + 64 * 1024;
}
