import { connect } from 'node:net';

/** What came of a request. `received` may hold several answers, or none. */
export interface Exchanged {
  readonly received: Buffer;
  /** The connection did not end, and no whole answer came, in the time a patient client has. */
  readonly hung: boolean;
}

/** A request that gets no answer for so long is not waited for: the client says that it has no more to send. */
const QUIET_MS = 150;
const PATIENCE_MS = 15_000;

/** Sends bytes over a connection of their own, and reads until a whole answer is there or the connection ends. */
export function exchange(
  port: number,
  bytes: Buffer,
  quietMs: number = QUIET_MS,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (hung: boolean): void => {
      clearTimeout(patience);
      clearTimeout(quiet);
      socket.destroy();
      resolve({ received: Buffer.concat(chunks), hung });
    };
    const patience = setTimeout(() => {
      finish(true);
    }, PATIENCE_MS);
    const quiet = setTimeout(() => socket.end(), quietMs);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      quiet.refresh();
      if (isWhole(Buffer.concat(chunks), isHead(bytes))) finish(false);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      finish(false);
    });
    socket.write(bytes);
  });
}

/** Whether an answer is there from its first byte to its last. */
function isWhole(received: Buffer, withoutBody: boolean): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = received.toString('latin1', 0, end + 2);
  if (/^HTTP\/1\.1 1\d\d/.test(head)) return isWhole(received.subarray(end + 4), withoutBody);
  if (withoutBody || /^HTTP\/1\.1 (?:204|304)/.test(head)) return true;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length === undefined) return false;
  return received.length >= end + 4 + Number(length);
}

/** An answer, taken apart. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Whether a request, by its first bytes, wants an answer without a body. */
export function isHead(request: Buffer): boolean {
  // Empty lines before a request are legal.
  return request.toString('latin1', 0, 100).trimStart().startsWith('HEAD ');
}

/** Takes the first final answer apart. @returns undefined when there is none */
export function readAnswer(received: Buffer, withoutBody = false): Answer | undefined {
  const text = received.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  if (end === -1 || Number.isNaN(status)) return undefined;
  if (status < 200) return readAnswer(received.subarray(end + 4), withoutBody);
  const head = text.slice(0, end);
  if (withoutBody) return { status, head, body: '' };
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Infinity);
  return { status, head, body: text.slice(end + 4, end + 4 + length) };
}
