import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Sends bytes over a new connection. @returns all bytes that the server sends until it closes the connection */
export async function exchangeRaw(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return buffer(socket);
}

/** @returns a request with `Connection: close`. Each character of its head is one byte. */
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

/** @returns the size limit of a refusal in bytes, including its head */
export function refusalLimit(request: Buffer): number {
  return 2 * request.length + 64 * 1024;
}
