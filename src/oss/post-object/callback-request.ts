import type { LookupAddress } from 'node:dns';
import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { withDeadline } from '../../http/deadline.ts';
import { onClose } from '../../http/on-close.ts';
import { ClientVanished } from '../../http/request-chunks.ts';
import { OssError, ossError } from '../errors.ts';
import { parseJson } from './callback-config.ts';
import type { Callback } from './callback-config.ts';
import { findAddresses, hostOf, portOf } from './callback-target.ts';
import type { CallbackRule } from './callback-target.ts';

/** For each URL, as OSS has it. */
const URL_TIMEOUT_MS = 5000;
/** For all URLs of a callback together, and the time it waits for its turn. Ours: OSS documents none. */
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** A callback that is made now. */
export interface CallbackRequest {
  readonly callback: Callback;
  readonly body: Buffer;
  readonly rule: CallbackRule;
  /** The connection of the client that has asked for it. */
  readonly client: Socket;
}

/**
 * Calls an application server back (OSS "Callback"). Without the headers `authorization` and `x-oss-pub-key-url`:
 * they are signed with a key that only OSS has. And by HTTP/1.1, where OSS speaks 1.0. Ends with the connection of
 * the client.
 * @returns the server's answer: JSON text
 * @throws OssError `CallbackFailed` when every URL failed, with the reason of the last one; ClientVanished
 */
export async function callBack(request: CallbackRequest): Promise<Buffer> {
  const { client, rule } = request;
  const gone = new AbortController();
  const off = onClose(client, () => gone.abort());
  try {
    return await withDeadline(TIMEOUT_MS, gone.signal, (signal) =>
      rule.turns(() => tryUrls(request, signal), signal),
    );
  } catch (error) {
    if (gone.signal.aborted) throw new ClientVanished('the client has closed the connection');
    if (error instanceof OssError) throw error;
    // It was never its turn.
    throw ossError('CallbackFailed', { cause: error });
  } finally {
    off();
  }
}

async function tryUrls(request: CallbackRequest, signal: AbortSignal): Promise<Buffer> {
  let failure = ossError('CallbackFailed');
  for (const url of request.callback.urls) {
    if (signal.aborted) break;
    const outcome = await withDeadline(URL_TIMEOUT_MS, signal, (own) => call(url, request, own));
    if (Buffer.isBuffer(outcome)) return outcome;
    failure = outcome;
  }
  throw failure;
}

/** @returns the body of the response, or why there is none to pass on */
async function call(
  url: URL,
  request: CallbackRequest,
  signal: AbortSignal,
): Promise<Buffer | OssError> {
  try {
    const addresses = await unlessAborted(findAddresses(url, request.rule, request.client), signal);
    if (addresses.length === 0) return ossError('CallbackFailed.address');
    const answer = await send(url, addresses, request, signal);
    // Whatever is left of the answer goes with the connection, which is not used again.
    const outcome = await readOutcome(answer);
    answer.destroy();
    return outcome;
  } catch {
    return ossError('CallbackFailed');
  }
}

/** A name that is being resolved cannot be given up; only its answer can. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    work.then(resolve, reject);
  });
}

/** Neither a user name in the URL is sent, nor is a redirect followed. */
function send(
  url: URL,
  addresses: readonly LookupAddress[],
  { callback, body }: CallbackRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const host = hostOf(url);
  const options: RequestOptions = {
    method: 'POST',
    host,
    port: portOf(url),
    path: url.pathname + url.search,
    lookup: lookupOf(addresses),
    // Without this the Host header would be the name that the certificate must have.
    servername: isIP(host) === 0 ? host : '',
    agent: false,
    signal,
    headers: {
      Host: callback.host ?? url.host,
      Connection: 'close',
      'Content-Length': body.length,
      'User-Agent': 'http-client/0.0.1',
      'Content-Type': callback.contentType,
    },
  };
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = open(options, resolve);
    // Nothing but `close` comes after an answer that switches protocols.
    request.on('error', reject).on('close', () => reject(new Error('no answer')));
    request.end(body);
  });
}

/** Resolves any name to addresses that were found before. */
function lookupOf(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

async function readOutcome(answer: IncomingMessage): Promise<Buffer | OssError> {
  if (answer.statusCode !== 200) {
    const status = String(answer.statusCode ?? -1);
    return ossError('CallbackFailed.status', { values: { status } });
  }
  const length = answer.headers['content-length'];
  if (length === undefined) return ossError('CallbackFailed.withoutLength');
  if (Number(length) > MAX_ANSWER_BYTES) return ossError('CallbackFailed.tooLarge');
  // Chunks are copied, because each of a byte or two would hold more memory than that.
  const body = Buffer.alloc(Number(length));
  let size = 0;
  for await (const chunk of answer) {
    if (Buffer.isBuffer(chunk)) size += chunk.copy(body, size);
  }
  return parseJson(body.toString('utf8')) === undefined ? ossError('CallbackFailed.notJson') : body;
}
