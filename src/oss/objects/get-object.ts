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
import type { ObjectRequest } from '../oss-request.ts';
import { etagOf, objectHeaders, validatorHeaders } from '../response-headers.ts';
import type { ResponseHeaders } from '../response-headers.ts';
import { resolveRange } from './byte-range.ts';
import { evaluatePreconditions, rangeCounts } from './preconditions.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** What reading works with. */
export interface GetObjectDependencies extends AuthorizeDependencies {
  readonly uploads: UploadDependencies;
  /** Whether the operator lets anybody read. */
  readonly publicRead: boolean;
}

/**
 * Answers GetObject, HeadObject and GetObjectMeta (OSS pages of these names). Bytes that are deleted or replaced
 * while they are read are still delivered whole. A client that goes away is no error.
 * @throws OssError for a refusal; a plain Error when the body of a live object cannot be delivered, in which case
 *   the connection is already gone if anything of it was sent
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

  let lost: string | undefined;
  for (;;) {
    const object = await findObject(deps, key);
    if (access === 'anonymous' && object.headers[ACL] === 'private')
      throw ossError('AccessDenied.anonymousRead');
    if (await respond(read, object)) return;
    // No body. Either the object was deleted or replaced since the ledger was asked, or it is really lost.
    if (object.locator === lost) throw new Error(`the body ${lost} of ${key} is missing`);
    lost = object.locator;
  }
}

const ACL = 'x-oss-object-acl';

async function findObject({ uploads }: GetObjectDependencies, key: string): Promise<StoredObject> {
  const upload = await uploads.ledger.findUpload(key);
  if (upload === undefined || upload.state === 'issued') {
    throw ossError('NoSuchKey', { elements: { Key: key } });
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

/** Together with the stored headers they stay below the 16 KiB that Node's own client reads. */
const MAX_OVERRIDE_BYTES = 2 * 1024;

function readOverrides(query: ReadonlyMap<string, string>, access: Authorization): ResponseHeaders {
  const asked = OVERRIDES.filter(([parameter]) => query.has(parameter));
  if (asked.length > 0 && access === 'anonymous') throw ossError('InvalidRequest');
  const overrides = new Map(
    asked.flatMap(([parameter, header]) => {
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

/** @returns false, and nothing was sent, when the object has no body */
async function respond(read: Read, object: StoredObject): Promise<boolean> {
  const { request, response } = read;
  const validators = { etag: etagOf(object), lastModified: object.storedAt };
  const outcome = evaluatePreconditions(request.headers, validators);
  if (outcome === 'failed') throw ossError('PreconditionFailed');
  if (outcome === 'notModified') {
    response.statusCode = 304;
    setHeaders(read, validatorHeaders(object));
    response.end();
    return true;
  }
  return request.method === 'HEAD' ? respondToHead(read, object) : respondToGet(read, object);
}

async function respondToHead(read: Read, object: StoredObject): Promise<boolean> {
  const { deps, request, response } = read;
  const body = await deps.uploads.store.stat(object.locator);
  if (body === undefined) return false;
  if (body.size !== object.size) throw wrongSize(object, body.size);
  const bare = request.query.has('objectMeta');
  setHeaders(read, bare ? validatorHeaders(object) : objectHeaders(object, read.overrides));
  response.setHeader('Content-Length', object.size);
  response.end();
  return true;
}

async function respondToGet(read: Read, object: StoredObject): Promise<boolean> {
  const { deps, request, response } = read;
  const range = chooseRange(read, object);
  // Nothing is opened for a client that is gone.
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
    // The client must not take what it has for the whole, nor the next answer for the rest.
    response.destroy();
    throw wrongSize(object, sent);
  }
  response.end();
  return true;
}

/** @returns undefined for the whole body */
function chooseRange({ request, response }: Read, object: StoredObject): ByteRange | undefined {
  const validators = { etag: etagOf(object), lastModified: object.storedAt };
  if (!rangeCounts(request.headers, validators)) return undefined;
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
 * Sends a body, at the pace of the client, and closes it.
 * @returns how many bytes there were; undefined when the client went away
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
        // Now that the kernel has it.
        body.recycle?.(chunk);
        done(error);
      });
    },
  });
  const leave = (): void => {
    seen.clientIsGone = true;
    client.destroy();
  };
  response.once('close', leave);
  if (response.destroyed) leave();
  const off = onClose(socket, leave);
  try {
    await pipeline(body, client);
    return seen.bytes;
  } catch (error) {
    if (seen.clientIsGone) return undefined;
    response.destroy();
    throw error;
  } finally {
    response.off('close', leave);
    off();
  }
}

function setHeaders({ deps, request, response }: Read, headers: ResponseHeaders): void {
  for (const [name, value] of headers) response.setHeader(name, value);
  response.setHeader('x-oss-server-time', String(elapsedSince(request.receivedAt, deps.wallClock)));
}
