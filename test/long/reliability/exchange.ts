import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The outcome of a request. `received` may have several responses, or none. */
export interface Exchanged {
  readonly received: Buffer;
  /** The connection did not end, and no complete response came before the timeout. */
  readonly hung: boolean;
}

/** After this time without a complete response the client ends its side. */
const QUIET_MS = 150;
const RESPONSE_TIMEOUT_MS = 15_000;
const LOOK_MS = 15;

/** Sends bytes over a new connection, and reads until a complete response has arrived or the connection ends. */
export function exchange(
  port: number,
  bytes: Buffer,
  quietMs: number = QUIET_MS,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (hung: boolean): void => {
      clearTimeout(timer);
      clearTimeout(quiet);
      socket.destroy();
      resolve({ received: Buffer.concat(chunks), hung });
    };
    const timer = setTimeout(() => {
      finish(true);
    }, RESPONSE_TIMEOUT_MS);
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

/** One step of a client with its connection. */
export type Step =
  | { readonly do: 'send'; readonly bytes: Buffer }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'stopReading' | 'finish' | 'reset' };

/**
 * Does steps over a new connection, one after the other, then reads until a number of responses has arrived or the
 * connection ends. Bytes that are sent after the gateway has closed the connection are lost, as for any client.
 */
export async function deliver(
  port: number,
  steps: readonly Step[],
  answers: number,
): Promise<Exchanged> {
  const chunks: Buffer[] = [];
  const socket = connect({ port, host: '127.0.0.1' });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const step of steps) {
    if (step.do === 'send') socket.write(step.bytes);
    else if (step.do === 'wait') await sleep(step.ms);
    else if (step.do === 'stopReading') socket.pause();
    else if (step.do === 'finish') socket.end();
    else socket.resetAndDestroy();
  }
  const deadline = Date.now() + RESPONSE_TIMEOUT_MS;
  let [seen, quietSince] = [0, Date.now()];
  while (!socket.destroyed && Date.now() < deadline) {
    await Promise.race([closed, sleep(LOOK_MS)]);
    if (chunks.length > seen) {
      [seen, quietSince] = [chunks.length, Date.now()];
      if (readAnswers(Buffer.concat(chunks)).answers.length >= answers) break;
    } else if (Date.now() - quietSince > QUIET_MS) {
      socket.end();
    }
  }
  const hung = !socket.destroyed && Date.now() >= deadline;
  socket.destroy();
  await closed;
  return { received: Buffer.concat(chunks), hung };
}

/**
 * Splits what was received over one connection.
 * @returns the bytes of each complete final response, and the rest after the last of them
 */
export function readAnswers(received: Buffer): { answers: Buffer[]; rest: Buffer } {
  const answers: Buffer[] = [];
  let rest = received;
  for (;;) {
    const length = answerLength(rest);
    if (length === undefined) return { answers, rest };
    const answer = rest.subarray(0, length);
    if (!answer.subarray(0, INTERIM_START.length).equals(INTERIM_START)) answers.push(answer);
    rest = rest.subarray(length);
  }
}

const ANSWER_START = Buffer.from('HTTP/1.1 ');
const EMPTY_CHUNKS = '0\r\n\r\n';
const INTERIM_START = Buffer.from('HTTP/1.1 1');

/** @returns the length of the first response; undefined when it is incomplete, or not a response */
function answerLength(received: Buffer): number | undefined {
  const end = received.indexOf('\r\n\r\n');
  const bodyAt = end + 4;
  if (end === -1 || !received.subarray(0, ANSWER_START.length).equals(ANSWER_START))
    return undefined;
  const head = received.toString('latin1', 0, end + 2);
  // The response to a HEAD request announces a body that does not come.
  const next = received.subarray(bodyAt, bodyAt + ANSWER_START.length);
  const isBare = /^HTTP\/1\.1 (?:1\d\d|204|304)/.test(head) || next.equals(ANSWER_START);
  const announced = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
  // Node's response to an unknown expectation is chunked and empty.
  const isChunked = /\r\ntransfer-encoding: chunked\r\n/i.test(head);
  const length = bodyAt + (isBare ? 0 : isChunked ? EMPTY_CHUNKS.length : announced);
  return length <= received.length ? length : undefined;
}

/** Whether the received bytes have a complete response. */
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

/** A parsed response. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Whether the response to a request has no body, by the first bytes of the request. */
export function isHead(request: Buffer): boolean {
  // Empty lines before a request are legal.
  return request.toString('latin1', 0, 100).trimStart().startsWith('HEAD ');
}

/** Parses the first final response. @returns undefined when there is none */
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
