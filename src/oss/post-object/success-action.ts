import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestHost } from '../../http/public-host.ts';
import type { StoredObject } from '../../uploads/upload.ts';
import { argument, ossError } from '../errors.ts';
import { flatXml } from '../flat-xml.ts';
import { quote, valueOf } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import { ENCRYPTION_HEADERS } from '../object-headers.ts';
import { digestHeaders, etagOf } from '../response-headers.ts';
import { callbackBody, readCallback } from './callback-config.ts';
import type { Callback, CallbackFacts, CallbackRule } from './callback-config.ts';
import { callBack } from './callback-request.ts';

/** How a form wants its success to be told. */
export interface SuccessAction {
  readonly callback: Callback | undefined;
  readonly redirect: URL | undefined;
  readonly status: 200 | 201 | 204;
}

const DEFAULT_STATUS = 204;
const STATUSES: ReadonlyMap<string, SuccessAction['status']> = new Map([
  ['200', 200],
  ['201', 201],
  ['204', 204],
]);

/** An object that a form is going to make. */
export interface PlannedObject {
  readonly bucket: string;
  readonly key: string;
  readonly requestId: string;
  /** The headers that will be stored with it. */
  readonly headers: StoredObject['headers'];
}

/**
 * Reads what a form wants as its answer. An unknown `success_action_status` is 204 (OSS PostObject page).
 * @throws OssError for a redirect that is no http or https URL or too long, and for a callback that is not allowed
 *   or has too long a body
 */
export function readSuccessAction(
  fields: FormFields,
  request: IncomingMessage,
  planned: PlannedObject,
  rule: CallbackRule,
): SuccessAction {
  const callback = readCallback(fields, rule, request.socket);
  if (callback !== undefined) {
    const longest = { ...LONGEST_FACTS, headers: planned.headers };
    callbackBody(callback, callbackFacts(request, planned, longest));
  }
  return {
    callback,
    redirect: readRedirect(fields),
    status: STATUSES.get(fields.get('success_action_status') ?? '') ?? DEFAULT_STATUS,
  };
}

const REDIRECT = 'success_action_redirect';
/** Ours. Clients refuse longer headers. */
const MAX_REDIRECT_LENGTH = 8 * 1024;

function readRedirect(fields: FormFields): URL | undefined {
  const text = valueOf(fields, REDIRECT);
  if (text === undefined) return undefined;
  const elements = argument(REDIRECT, quote(text));
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw ossError('InvalidArgument.redirect', { elements });
  }
  if (url.href.length > MAX_REDIRECT_LENGTH) {
    const values = { maximum: String(MAX_REDIRECT_LENGTH) };
    throw ossError('InvalidArgument.redirectTooLong', { values, elements });
  }
  return url;
}

/** An upload that is done. */
export interface PostedObject {
  readonly bucket: string;
  readonly key: string;
  readonly object: StoredObject;
  readonly requestId: string;
  /** Milliseconds that it took. */
  readonly elapsed: number;
}

/** What answering works with. */
export interface AnswerDependencies {
  readonly callback: CallbackRule;
  readonly publicUrl: string | undefined;
}

/**
 * Tells that an object is stored. A callback wins over a redirect (unverified), and that over a status.
 * @throws OssError `CallbackFailed`, or ClientVanished; the object stays
 */
export async function respondToPost(
  request: IncomingMessage,
  response: ServerResponse,
  wish: SuccessAction,
  posted: PostedObject,
  { callback: rule, publicUrl }: AnswerDependencies,
): Promise<void> {
  for (const [name, value] of successHeaders(posted)) response.setHeader(name, value);
  if (wish.callback !== undefined) {
    const { callback } = wish;
    const body = Buffer.from(callbackBody(callback, callbackFacts(request, posted, posted.object)));
    const json = await callBack({ callback, body, rule, client: request.socket });
    send(response, 200, { type: 'application/json', body: json });
  } else if (wish.redirect !== undefined) {
    response.setHeader('Location', redirectLocation(wish.redirect, posted));
    send(response, 303);
  } else if (wish.status === 201) {
    const body = postResponse(requestHost(request, publicUrl), posted);
    send(response, 201, { type: 'application/xml', body });
  } else {
    send(response, wish.status);
  }
}

/** That forms are answered with Content-MD5 and x-oss-server-time as PutObject is, is unverified. */
function* successHeaders({ object, elapsed }: PostedObject): Iterable<readonly [string, string]> {
  yield* digestHeaders(object);
  yield ['x-oss-server-time', String(elapsed)];
  for (const name of ENCRYPTION_HEADERS) {
    const value = object.headers[name];
    if (value !== undefined) yield [name, Buffer.from(value).toString('latin1')];
  }
}

function send(
  response: ServerResponse,
  status: number,
  content?: { readonly type: string; readonly body: string | Buffer },
): void {
  response.statusCode = status;
  if (content !== undefined) response.setHeader('Content-Type', content.type);
  if (status !== 204) {
    response.setHeader('Content-Length', Buffer.byteLength(content?.body ?? ''));
  }
  response.end(content?.body);
}

/** The query is S3's; no page of OSS tells what it appends (unverified). */
function redirectLocation(redirect: URL, { bucket, key, object }: PostedObject): string {
  const url = new URL(redirect);
  const result = Object.entries({ bucket, key, etag: etagOf(object) })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  url.search = url.search === '' ? result : `${url.search}&${result}`;
  return url.href;
}

/** Order and form are those of recorded answers: no quotes round the ETag, slashes of the key as they are. */
function postResponse(host: string, { bucket, key, object }: PostedObject): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return flatXml('PostResponse', {
    Bucket: bucket,
    Location: `${host}/${path}`,
    Key: key,
    ETag: object.md5.toUpperCase(),
  });
}

type ObjectFacts = Pick<StoredObject, 'md5' | 'size' | 'crc64' | 'headers'>;

/** What is not known before a file is read, at its longest. */
const LONGEST_FACTS: Omit<ObjectFacts, 'headers'> = {
  // In Base64 nothing but slashes, which take three characters each.
  md5: 'f'.repeat(32),
  size: Number.MAX_SAFE_INTEGER,
  crc64: String(2n ** 64n - 1n),
};

/** The variables of OSS "Callback". */
function callbackFacts(
  request: IncomingMessage,
  { bucket, key, requestId }: Pick<PlannedObject, 'bucket' | 'key' | 'requestId'>,
  object: ObjectFacts,
): CallbackFacts {
  return new Map<string, string | number>([
    ['bucket', bucket],
    ['object', key],
    ['etag', object.md5.toUpperCase()],
    ['size', object.size],
    ['mimeType', object.headers['content-type'] ?? ''],
    ['crc64', object.crc64],
    ['contentMd5', Buffer.from(object.md5, 'hex').toString('base64')],
    ['clientIp', request.socket.remoteAddress ?? ''],
    ['reqId', requestId],
    ['operation', 'PostObject'],
  ]);
}
