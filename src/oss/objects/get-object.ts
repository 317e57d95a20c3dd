import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FaultPlan } from '../../faults/fault-plan.ts';
import { onClose } from '../../http/on-close.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { findExcessHeader } from '../../uploads/header-limit.ts';
import type { Body, ByteRange, SmallBodies } from '../../uploads/ports.ts';
import type { StoredObject } from '../../uploads/upload.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { Authorization } from '../auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import type { OssOperation } from '../dependencies.ts';
import { argument, ossError } from '../errors.ts';
import { quote } from '../fields.ts';
import { keyText } from '../flat-xml.ts';
import type { ObjectRequest } from '../oss-request.ts';
import { etagOf, objectHeaders, validatorHeaders } from '../response-headers.ts';
import type { ResponseHeaders } from '../response-headers.ts';
import { resolveRange } from './byte-range.ts';
import { withReadFaults } from './injected-faults.ts';
import { evaluatePreconditions, isRangeApplicable } from './preconditions.ts';
import type { Validators } from './preconditions.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** A body while it is sent. */
export type SentBody = AsyncIterable<Buffer> & Pick<Body, 'recycle'>;

/** Opens and describes stored bodies. */
interface BodySource {
  open(locator: string, range?: ByteRange): Promise<SentBody | undefined>;
  readonly smallBodies?: SmallBodies;
  stat(locator: string): Promise<{ readonly size: number } | undefined>;
}

/** Dependencies of GetObject. */
export interface GetObjectDependencies extends AuthorizeDependencies {
  readonly uploads: Pick<UploadDependencies, 'clock' | 'ledger' | 'observer' | 'rules'> & {
    readonly store: BodySource;
  };
  /** Whether the operator allows reads without a signature. */
  readonly publicRead: boolean;
  readonly faults: FaultPlan | undefined;
}

/**
 * Creates GetObject, HeadObject and GetObjectMeta (OSS pages of these names). A body that is deleted or replaced during
 * the response is still sent completely. A client that closes the connection is not an error.
 *
 * It throws OssError for a refusal; a plain Error when the body of a live object cannot be sent completely. The
 * connection is then already closed if a part of the body was sent.
 */
export function createGetObject(deps: GetObjectDependencies): OssOperation<ObjectRequest> {
  const { faults } = deps;
  const deliver = faults === undefined ? deliverObject : withReadFaults(faults, deliverObject);
  return (request, response) => getObject(deps, request, response, deliver);
}

async function getObject(
  deps: GetObjectDependencies,
  request: ObjectRequest,
  response: ServerResponse,
  deliver: Deliver,
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
    if (await deliver(read, object, choosePart(read, object))) return;
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
  const [first] = requested;
  if (first !== undefined && access === 'anonymous') {
    const [name] = first;
    throw ossError('InvalidRequest', { elements: argument(name, quote(query.get(name) ?? '')) });
  }
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

/** A request that may read its object. */
export interface Read {
  readonly deps: GetObjectDependencies;
  readonly request: ObjectRequest;
  readonly response: ServerResponse;
  readonly overrides: ResponseHeaders;
}

/** What a request gets of its object. */
export type ObjectPart = 'unchanged' | 'headers' | 'whole' | ByteRange;

/** Responds with a part of an object. @returns false when the body is missing; nothing was sent then */
export type Deliver = (read: Read, object: StoredObject, part: ObjectPart) => Promise<boolean>;

/** @throws OssError for a precondition that failed, and for a range outside the body */
function choosePart(read: Read, object: StoredObject): ObjectPart {
  const { request } = read;
  const validators = { etag: etagOf(object), lastModified: object.storedAt };
  const outcome = evaluatePreconditions(request.headers, validators);
  switch (outcome) {
    case 'proceed':
      return request.method === 'HEAD' ? 'headers' : chooseRange(read, object, validators);
    case 'notModified':
      return 'unchanged';
    default:
      // ali-oss appends the condition to its message.
      throw ossError('PreconditionFailed', { elements: { Condition: outcome } });
  }
}

async function deliverObject(read: Read, object: StoredObject, part: ObjectPart): Promise<boolean> {
  if (part === 'headers') return respondToHead(read, object);
  if (part !== 'unchanged') return respondToGet(read, object, part === 'whole' ? undefined : part);
  read.response.statusCode = 304;
  setHeaders(read, validatorHeaders(object));
  read.response.end();
  return true;
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

async function respondToGet(
  read: Read,
  object: StoredObject,
  range: ByteRange | undefined,
): Promise<boolean> {
  // Do not open the body for a client that has closed the connection.
  if (read.request.raw.socket.destroyed) return true;
  const { smallBodies } = read.deps.uploads.store;
  return smallBodies === undefined || object.size > smallBodies.maxBytes
    ? respondWithStream(read, object, range)
    : respondAtOnce(smallBodies, read, object, range);
}

async function respondAtOnce(
  smallBodies: SmallBodies,
  read: Read,
  object: StoredObject,
  range: ByteRange | undefined,
): Promise<boolean> {
  const bytes = await smallBodies.read(object.locator, object.size);
  if (bytes === undefined) return false;
  if (bytes.length !== object.size) throw wrongSize(object, bytes.length);
  setBodyHeaders(read, object, range);
  const { response } = read;
  // `end` encodes a Content-Disposition in another way than `writeHead` and all other responses.
  response.writeHead(response.statusCode);
  response.end(range === undefined ? bytes : bytes.subarray(range.start, range.end + 1));
  return true;
}

async function respondWithStream(
  read: Read,
  object: StoredObject,
  range: ByteRange | undefined,
): Promise<boolean> {
  const { deps, request, response } = read;
  const body = await deps.uploads.store.open(object.locator, range);
  if (body === undefined) return false;
  const length = setBodyHeaders(read, object, range);
  const sent = await send(body, request, response);
  if (sent === undefined) return true;
  if (sent !== length) {
    // Close the connection, so that the client sees neither a complete body nor the next response as the rest of it.
    response.destroy();
    throw wrongSize(object, sent);
  }
  response.end();
  return true;
}

/** @returns the number of bytes of the body of the response */
function setBodyHeaders(read: Read, object: StoredObject, range: ByteRange | undefined): number {
  const { response } = read;
  const length = range === undefined ? object.size : range.end - range.start + 1;
  setHeaders(read, objectHeaders(object, read.overrides));
  response.setHeader('Content-Length', length);
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${object.size}`);
  }
  return length;
}

function chooseRange(
  { request, response }: Read,
  object: StoredObject,
  validators: Validators,
): 'whole' | ByteRange {
  if (!isRangeApplicable(request.headers, validators)) return 'whole';
  const range = request.headers.get('range');
  const behavior = request.headers.get('x-oss-range-behavior');
  const outcome = resolveRange(range, object.size, behavior);
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
  body: SentBody,
  { raw: { socket }, record }: ObjectRequest,
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
    record.bytesSent = seen.bytes;
    response.off('close', onGone);
    off();
  }
}

function setHeaders({ deps, request, response }: Read, headers: ResponseHeaders): void {
  for (const [name, value] of headers) response.setHeader(name, value);
  response.setHeader('x-oss-server-time', String(elapsedSince(request.receivedAt, deps.wallClock)));
}
