import type { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onClose } from '../../http/on-close.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { findExcessHeader } from '../../uploads/header-limit.ts';
import type { Body, ByteRange } from '../../uploads/ports.ts';
import type { StoredObject } from '../../uploads/upload.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { Authorization } from '../auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import { ossError } from '../errors.ts';
import { keyText } from '../flat-xml.ts';
import type { ObjectRequest } from '../oss-request.ts';
import { etagOf, objectHeaders, validatorHeaders } from '../response-headers.ts';
import type { ResponseHeaders } from '../response-headers.ts';
import { resolveRange } from './byte-range.ts';
import { evaluatePreconditions, isRangeApplicable } from './preconditions.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** Dependencies of `getObject`. */
export interface GetObjectDependencies extends AuthorizeDependencies {
  readonly uploads: UploadDependencies;
  /** Whether the operator allows reads without a signature. */
  readonly publicRead: boolean;
}

/**
 * Responds to GetObject, HeadObject and GetObjectMeta (OSS pages of these names). A body that is deleted or replaced
 * during the response is still sent completely. A client that closes the connection is not an error.
 * @throws OssError for a refusal; a plain Error when the body of a live object cannot be sent completely; the
 *   connection is then already closed if a part of the body was sent
 */
export async function getObject(
  deps: GetObjectDependencies,
  request: ObjectRequest,
  response: ServerResponse,
): Promise<void> {
  const { key, query } = request;
  const access = authorizeRequest(deps, request);
  const read = { deps, request, response, overrides: readOverrides(query, access) };
  refuseOtherOperations(query);
  if (access === 'anonymous' && !deps.publicRead) throw ossError('AccessDenied.anonymousRead');

  let missingLocator: string | undefined;
  for (;;) {
    const object = await findObject(deps, key);
    if (access === 'anonymous' && object.headers[ACL] === 'private')
      throw ossError('AccessDenied.anonymousRead');
    if (await respond(read, object)) return;
    // The body is missing. Look up the object again: it may have been deleted or replaced since. If it was not, the
    // body is lost.
    if (object.locator === missingLocator) {
      throw new Error(`the body ${missingLocator} of ${key} is missing`);
    }
    missingLocator = object.locator;
  }
}

const ACL = 'x-oss-object-acl';

async function findObject({ uploads }: GetObjectDependencies, key: string): Promise<StoredObject> {
  const upload = await uploads.ledger.findUpload(key);
  if (upload === undefined || upload.state === 'issued') {
    throw ossError('NoSuchKey', { elements: { Key: keyText(key) } });
  }
  return upload.object;
}

const OVERRIDES = [
  ['response-cache-control', 'Cache-Control'],
  ['response-content-disposition', 'Content-Disposition'],
  ['response-content-encoding', 'Content-Encoding'],
  ['response-content-language', 'Content-Language'],
  ['response-content-type', 'Content-Type'],
  ['response-expires', 'Expires'],
] as const;

/** With this limit they and the stored headers are less than 16 KiB, which is all that Node's own client reads. */
const MAX_OVERRIDE_BYTES = 2 * 1024;

function readOverrides(query: ReadonlyMap<string, string>, access: Authorization): ResponseHeaders {
  const requested = OVERRIDES.filter(([parameter]) => query.has(parameter));
  if (requested.length > 0 && access === 'anonymous') throw ossError('InvalidRequest');
  const overrides = new Map(
    requested.flatMap(([parameter, header]) => {
      const value = query.get(parameter);
      return value ? [[header, value]] : [];
    }),
  );
  const excess = findExcessHeader(overrides, MAX_OVERRIDE_BYTES);
  if (excess === undefined) return overrides;
  throw ossError('InvalidArgument.responseHeaders', {
    values: { maximum: String(MAX_OVERRIDE_BYTES), header: excess },
  });
}

interface Read {
  readonly deps: GetObjectDependencies;
  readonly request: ObjectRequest;
  readonly response: ServerResponse;
  readonly overrides: ResponseHeaders;
}

/** @returns false when the body is missing; nothing was sent then */
async function respond(read: Read, object: StoredObject): Promise<boolean> {
  const { request, response } = read;
  const validators = { etag: etagOf(object), lastModified: object.storedAt };
  const outcome = evaluatePreconditions(request.headers, validators);
  switch (outcome) {
    case 'proceed':
      return request.method === 'HEAD' ? respondToHead(read, object) : respondToGet(read, object);
    case 'notModified':
      response.statusCode = 304;
      setHeaders(read, validatorHeaders(object));
      response.end();
      return true;
    default:
      // ali-oss appends the condition to its message.
      throw ossError('PreconditionFailed', { elements: { Condition: outcome } });
  }
}

async function respondToHead(read: Read, object: StoredObject): Promise<boolean> {
  const { deps, request, response } = read;
  const body = await deps.uploads.store.stat(object.locator);
  if (body === undefined) return false;
  if (body.size !== object.size) throw wrongSize(object, body.size);
  const isMetaOnly = request.query.has('objectMeta');
  setHeaders(read, isMetaOnly ? validatorHeaders(object) : objectHeaders(object, read.overrides));
  response.setHeader('Content-Length', object.size);
  response.end();
  return true;
}

async function respondToGet(read: Read, object: StoredObject): Promise<boolean> {
  const { deps, request, response } = read;
  const range = chooseRange(read, object);
  // Do not open the body for a client that has closed the connection.
  if (request.raw.socket.destroyed) return true;
  const body = await deps.uploads.store.open(object.locator, range);
  if (body === undefined) return false;
  const length = range === undefined ? object.size : range.end - range.start + 1;
  setHeaders(read, objectHeaders(object, read.overrides));
  response.setHeader('Content-Length', length);
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${object.size}`);
  }
  const sent = await send(body, request.raw, response);
  if (sent === undefined) return true;
  if (sent !== length) {
    // Close the connection, so that the client sees neither a complete body nor the next response as the rest of it.
    response.destroy();
    throw wrongSize(object, sent);
  }
  response.end();
  return true;
}

/** @returns undefined for the whole body */
function chooseRange({ request, response }: Read, object: StoredObject): ByteRange | undefined {
  const validators = { etag: etagOf(object), lastModified: object.storedAt };
  if (!isRangeApplicable(request.headers, validators)) return undefined;
  const range = request.headers.get('range');
  const behavior = request.headers.get('x-oss-range-behavior');
  const outcome = resolveRange(range, object.size, behavior);
  if (outcome === 'whole') return undefined;
  if (outcome !== 'unsatisfiable') return outcome;
  response.setHeader('Content-Range', `bytes */${object.size}`);
  throw ossError('InvalidRange', {
    elements: { ActualObjectSize: String(object.size), RangeRequested: range ?? '' },
  });
}

function wrongSize(object: StoredObject, size: number): Error {
  return new Error(`the body ${object.locator} of ${object.size} bytes gave ${size}`);
}

/**
 * Sends a body as fast as the client reads it, then closes it.
 * @returns the number of bytes; undefined when the client has closed the connection
 */
async function send(
  body: Body,
  { socket }: IncomingMessage,
  response: ServerResponse,
): Promise<number | undefined> {
  const seen = { bytes: 0, clientIsGone: false };
  const client = new Writable({
    highWaterMark: 1,
    write: (chunk: Uint8Array, _encoding, done) => {
      seen.bytes += chunk.length;
      response.write(chunk, (error) => {
        if (error) seen.clientIsGone = true;
        // The chunk was passed to the kernel, so its memory can be used again.
        body.recycle?.(chunk);
        done(error);
      });
    },
  });
  const onGone = (): void => {
    seen.clientIsGone = true;
    client.destroy();
  };
  response.once('close', onGone);
  if (response.destroyed) onGone();
  const off = onClose(socket, onGone);
  try {
    await pipeline(body, client);
    return seen.bytes;
  } catch (error) {
    if (seen.clientIsGone) return undefined;
    response.destroy();
    throw error;
  } finally {
    response.off('close', onGone);
    off();
  }
}

function setHeaders({ deps, request, response }: Read, headers: ResponseHeaders): void {
  for (const [name, value] of headers) response.setHeader(name, value);
  response.setHeader('x-oss-server-time', String(elapsedSince(request.receivedAt, deps.wallClock)));
}
