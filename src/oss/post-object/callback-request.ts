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
import { findAddresses, hostOf, isPublic, portOf } from './callback-target.ts';
import type { CallbackRule } from './callback-target.ts';

/** Of each URL, the same as in OSS. */
const URL_TIMEOUT_MS = 5000;
/** Of a callback: for all URLs, and for waiting until it may start. Ours: OSS documents none. */
const TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** A callback to send, with its complete body. */
export interface CallbackRequest {
  readonly callback: Callback;
  readonly body: Buffer;
  readonly rule: CallbackRule;
  /** The connection of the client that uploaded the file. */
  readonly client: Socket;
  /** Is called before a private address is called. */
  readonly onPrivateAddress: () => void;
}

/**
 * Sends a callback to an application server (OSS "Callback"). Differs from OSS: it has no headers `authorization` and
 * `x-oss-pub-key-url`, because only OSS has the key that signs them, and it uses HTTP/1.1 instead of 1.0.
 * @returns the body of the response: JSON text
 * @throws OssError `CallbackFailed` when every URL failed, with the reason of the last one; ClientVanished when the
 *   client closes its connection before
 */
export async function sendCallback(request: CallbackRequest): Promise<Buffer> {
  const { client, rule } = request;
  const gone = new AbortController();
  const off = onClose(client, () => gone.abort());
  try {
    return await withDeadline(TIMEOUT_MS, gone.signal, (signal) =>
      rule.runLimited(() => tryUrls(request, signal), signal),
    );
  } catch (error) {
    if (gone.signal.aborted) throw new ClientVanished('the client has closed the connection');
    if (error instanceof OssError) throw error;
    // The time was over before it could start.
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

/** @returns the body of the response; an error when the call failed */
async function call(
  url: URL,
  request: CallbackRequest,
  signal: AbortSignal,
): Promise<Buffer | OssError> {
  try {
    const addresses = await unlessAborted(findAddresses(url, request.rule, request.client), signal);
    if (addresses.length === 0) return ossError('CallbackFailed.address');
    if (!addresses.every(({ address }) => isPublic(address))) request.onPrivateAddress();
    const response = await send(url, addresses, request, signal);
    const outcome = await readOutcome(response);
    // Closes the connection, even if the response has more bytes.
    response.destroy();
    return outcome;
  } catch {
    return ossError('CallbackFailed');
  }
}

/** Rejects when the signal is aborted. The work goes on, because resolving a name cannot be canceled. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    work.then(resolve, reject);
  });
}

/** Does not send a user name of the URL, and does not follow redirects. */
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
    // By default the certificate would have to match the Host header.
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
    // A response that switches protocols emits only `close`.
    request.on('error', reject).on('close', () => reject(new Error('no response')));
    request.end(body);
  });
}

/** Resolves every name to the given addresses. */
function lookupOf(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

async function readOutcome(response: IncomingMessage): Promise<Buffer | OssError> {
  if (response.statusCode !== 200) {
    const status = String(response.statusCode ?? -1);
    return ossError('CallbackFailed.status', { values: { status } });
  }
  const length = response.headers['content-length'];
  if (length === undefined) return ossError('CallbackFailed.withoutLength');
  if (Number(length) > MAX_RESPONSE_BYTES) return ossError('CallbackFailed.tooLarge');
  // Chunks are copied, because a chunk of a few bytes can hold much more memory than its bytes.
  const body = Buffer.alloc(Number(length));
  let size = 0;
  for await (const chunk of response) {
    if (Buffer.isBuffer(chunk)) size += chunk.copy(body, size);
  }
  return parseJson(body.toString('utf8')) === undefined ? ossError('CallbackFailed.notJson') : body;
}
