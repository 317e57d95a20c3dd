import type { ServerResponse } from 'node:http';
import { gatewayUrl } from '../../http/public-host.ts';
import type { StoredObject } from '../../uploads/upload.ts';
import type { DifferenceCode } from '../differences.ts';
import { argument, ossError } from '../errors.ts';
import type { Fidelity } from '../fidelity.ts';
import { quote, valueOf } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import { flatXml, keyText } from '../flat-xml.ts';
import { ENCRYPTION_HEADERS } from '../object-headers.ts';
import type { OssRequest } from '../oss-request.ts';
import { digestHeaders, etagOf } from '../response-headers.ts';
import { callbackBody, readCallback } from './callback-config.ts';
import type { Callback, SystemVariables, CallbackRule } from './callback-config.ts';
import { sendCallback } from './callback-request.ts';
import type { LocalEndpoint } from './callback-target.ts';

/**
 * Responds to a form whose file is stored, in the way that the form has asked for.
 * @throws OssError `CallbackFailed`, or ClientVanished; the object stays stored
 */
export type SuccessAction = (
  response: ServerResponse,
  object: StoredObject,
) => Promise<void> | void;

/** What the response to a form depends on in its request. */
export interface FormRequest extends Pick<OssRequest, 'bucket' | 'headers' | 'id'> {
  readonly raw: { readonly socket: LocalEndpoint };
  readonly record: { readonly peer: string | undefined };
}

/** An upload whose fields are being checked. */
interface CheckedUpload {
  readonly request: FormRequest;
  readonly key: string;
  /** Stored with the object. */
  readonly headers: StoredObject['headers'];
  readonly callback: CallbackRule;
}

/** An upload before its file is read. */
export interface PlannedUpload extends CheckedUpload {
  readonly request: OssRequest;
  readonly fidelity: Fidelity;
  /** Scheme, host and path as clients see them; undefined to take them from the request. */
  readonly publicUrl: string | undefined;
}

const DEFAULT_STATUS = 204;
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['200', 200],
  ['201', 201],
  ['204', 204],
]);

/** The responses that a form asks for. */
export interface Success {
  readonly callback: Callback | undefined;
  readonly redirect: URL | undefined;
  /** Undefined for the default. */
  readonly status: number | undefined;
}

/**
 * Reads which responses a form asks for. An unknown `success_action_status` means 204 (OSS PostObject page).
 * @throws OssError for a redirect that is not an http or https URL or is too long, and for a callback that is not
 *   allowed or has too long a body
 */
export function readSuccess(fields: FormFields, upload: CheckedUpload): Success {
  const callback = readCallback(fields, upload.callback, upload.request.raw.socket);
  if (callback !== undefined) {
    const longest = { ...LONGEST_FACTS, headers: upload.headers };
    callbackBody(callback, systemVariables(upload, longest));
  }
  const status = STATUSES.get(fields.get('success_action_status') ?? '');
  return { callback, redirect: readRedirect(fields), status };
}

/** A callback takes precedence over a redirect (unverified), and a redirect over a status. */
export function createSuccessAction(
  { callback, redirect, status }: Success,
  planned: PlannedUpload,
): SuccessAction {
  if (callback !== undefined) return callbackAction(callback, planned);
  if (redirect !== undefined) return redirectAction(redirect, planned);
  return statusAction(status, planned);
}

const REDIRECT = 'success_action_redirect';
/** Ours: clients refuse longer headers. */
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

/** Headers of every successful response. That it has Content-MD5, as that of PutObject has, is unverified. */
export function* successHeaders(object: StoredObject): Iterable<readonly [string, string]> {
  yield* digestHeaders(object);
  for (const name of ENCRYPTION_HEADERS) {
    const value = object.headers[name];
    if (value !== undefined) yield [name, Buffer.from(value).toString('latin1')];
  }
}

function callbackAction(callback: Callback, planned: PlannedUpload): SuccessAction {
  return async (response, object) => {
    const body = Buffer.from(callbackBody(callback, systemVariables(planned, object)));
    const { fidelity, request, callback: rule } = planned;
    const meet = (code: DifferenceCode): void => fidelity.meet({ code }, request.id, response);
    meet('UnsignedCallback');
    const client = request.raw.socket;
    const onPrivateAddress = (): void => meet('PrivateCallback');
    const json = await sendCallback({ callback, body, rule, client, onPrivateAddress });
    send(response, 200, { type: 'application/json', body: json });
  };
}

function redirectAction(redirect: URL, { request, key }: PlannedUpload): SuccessAction {
  return (response, object) => {
    response.setHeader(
      'Location',
      redirectLocation(redirect, { bucket: request.bucket, key }, object),
    );
    send(response, 303);
  };
}

function statusAction(
  status = DEFAULT_STATUS,
  { request, key, publicUrl }: PlannedUpload,
): SuccessAction {
  return (response, object) => {
    if (status !== 201) {
      send(response, status);
      return;
    }
    const host = gatewayUrl(request.raw, publicUrl);
    send(response, 201, {
      type: 'application/xml',
      body: postResponse(host, { bucket: request.bucket, key }, object),
    });
  };
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

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** Appends the same parameters as S3; no page of OSS says what OSS appends (unverified). */
function redirectLocation(
  redirect: URL,
  { bucket, key }: ObjectName,
  object: StoredObject,
): string {
  const url = new URL(redirect);
  const result = Object.entries({ bucket, key, etag: etagOf(object) })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  url.search = url.search === '' ? result : `${url.search}&${result}`;
  return url.href;
}

/** Order and form are those of recorded responses: the ETag has no quotes, and slashes of the key are not encoded. */
function postResponse(host: string, { bucket, key }: ObjectName, object: StoredObject): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return flatXml('PostResponse', {
    Bucket: bucket,
    Location: `${host}/${path}`,
    Key: keyText(key),
    ETag: object.md5.toUpperCase(),
  });
}

type ObjectFacts = Pick<StoredObject, 'md5' | 'size' | 'crc64' | 'headers'>;

/** The longest values of what is unknown until the file is read. */
const LONGEST_FACTS: Omit<ObjectFacts, 'headers'> = {
  // In Base64 these are slashes, which are three characters each when they are encoded.
  md5: 'f'.repeat(32),
  size: Number.MAX_SAFE_INTEGER,
  crc64: String(2n ** 64n - 1n),
};

/** @returns the variables of OSS "Callback" */
function systemVariables({ request, key }: CheckedUpload, object: ObjectFacts): SystemVariables {
  return new Map<string, string | number>([
    ['bucket', request.bucket],
    ['object', key],
    ['etag', object.md5.toUpperCase()],
    ['size', object.size],
    ['mimeType', object.headers['content-type'] ?? ''],
    ['crc64', object.crc64],
    ['contentMd5', Buffer.from(object.md5, 'hex').toString('base64')],
    ['clientIp', request.record.peer ?? ''],
    ['reqId', request.id],
    ['operation', 'PostObject'],
  ]);
}
