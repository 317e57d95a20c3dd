import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatHttpDate } from '../http/http-date.ts';
import { BudgetExhausted } from '../http/memory-budget.ts';
import { LOST_BODY, LostBody, warnOfLostBody } from '../http/parsed-body.ts';
import { createRefusal } from '../refusals/refusal-record.ts';
import type { Evidence, RefusalRecord } from '../refusals/refusal-record.ts';
import { openRecord, reportRefusal } from '../http/request-record.ts';
import type { OpenRecord } from '../http/request-record.ts';
import { BrokenRequest, ClientVanished } from '../http/request-chunks.ts';
import { LedgerUnavailable, StoreUnavailable } from '../uploads/unavailable.ts';
import { chooseAddress, findSignedBucket } from './choose-address.ts';
import { allowOrigin, findMismatches, respondToPreflight } from './cors.ts';
import type { OssDependencies, OssOperation } from './dependencies.ts';
import { refuse } from './error-response.ts';
import { argument, OssError, ossError } from './errors.ts';
import { differenceOf } from './fidelity.ts';
import { createDeleteObject } from './objects/delete-object.ts';
import { createGetObject } from './objects/get-object.ts';
import { createPutObject } from './objects/put-object.ts';
import { parseRequest } from './oss-request.ts';
import type { ObjectRequest, OssRequest, ParsedRequest } from './oss-request.ts';
import { createPostObject } from './post-object/post-object.ts';

/** The operations of the host by method, for the bucket and for an object. */
interface Operations {
  readonly bucket: ReadonlyMap<string, OssOperation>;
  readonly object: ReadonlyMap<string, OssOperation<ObjectRequest>>;
}

function createOperations(deps: OssDependencies): Operations {
  const read = createGetObject(deps);
  return {
    bucket: new Map([['POST', createPostObject(deps)]]),
    object: new Map<string, OssOperation<ObjectRequest>>([
      ['GET', read],
      ['HEAD', read],
      ['PUT', createPutObject(deps)],
      ['DELETE', createDeleteObject(deps)],
    ]),
  };
}

/** Creates the OSS host. It responds to every request. */
export function createOssRouter(deps: OssDependencies): OssHandler {
  const { clock, ids, rules } = deps.uploads;
  const publicName = deps.publicUrl === undefined ? undefined : new URL(deps.publicUrl).hostname;
  const operations = createOperations(deps);
  return async (raw, response, passed) => {
    const receivedAt = deps.wallClock.now();
    const id = ids.ossRequest();
    passed?.passTo('oss', id);
    const record = passed ?? openRecord(deps.recording, raw, response, id, 'oss');
    try {
      response.setHeader('Server', 'AliyunOSS');
      response.setHeader('Date', formatHttpDate(clock.now()));
      response.setHeader('x-oss-request-id', id);
      const parsed = parseRequest(raw, rules.bucket, publicName);
      await handle(deps, operations, { id, receivedAt, raw, record, ...parsed }, response);
    } catch (error) {
      record.fail();
      throw error;
    } finally {
      record.handled();
    }
  };
}

/**
 * Handles a request of Node. No request of a client makes it reject.
 * @param passed - the record of a request that another dialect has passed on
 */
export type OssHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  passed?: OpenRecord,
) => Promise<void>;

async function handle(
  deps: OssDependencies,
  operations: Operations,
  request: OssRequest,
  response: ServerResponse,
): Promise<void> {
  const { key, record } = request;
  record.operation = operationOf(request);
  if (key !== undefined) record.keys = [key];
  try {
    await route(deps, operations, request, response);
  } catch (error) {
    await handleError(deps, request, response, error);
  }
}

async function route(
  deps: OssDependencies,
  operations: Operations,
  request: OssRequest,
  response: ServerResponse,
): Promise<void> {
  const { method } = request;
  const address = await chooseAddress(deps, request);
  if (address.kind === 'foreignBucket') throw noSuchBucket(address.name);
  if (method === 'OPTIONS') {
    respondToPreflight(deps.corsRules, request, response);
    return;
  }
  if (address !== request.addresses[0])
    deps.fidelity.meet({ code: 'PathStyle' }, request.id, response);
  allowOrigin(deps.corsRules, request, response);
  switch (address.kind) {
    case 'invalid':
      throw ossError('InvalidObjectName');
    case 'bucket':
      return findOperation(operations.bucket, method, 'Bucket', response)(request, response);
    case 'object': {
      const operation = findOperation(operations.object, method, 'Object', response);
      return operation({ ...request, key: address.key }, response);
    }
  }
}

function noSuchBucket(name: string): OssError {
  return ossError('NoSuchBucket', { elements: { BucketName: name } });
}

/** @throws OssError `MethodNotAllowed`; the text of its `ResourceType` is unverified */
function findOperation<Operation>(
  operations: ReadonlyMap<string, Operation>,
  method: string,
  resourceType: 'Bucket' | 'Object',
  response: ServerResponse,
): Operation {
  const operation = operations.get(method);
  if (operation !== undefined) return operation;
  const allowed = [...operations.keys(), 'OPTIONS'].join(', ');
  response.setHeader('Allow', allowed);
  // `AllowedMethods` is ours.
  const elements = { Method: method, ResourceType: resourceType, AllowedMethods: allowed };
  throw ossError('MethodNotAllowed', { elements });
}

/** Handles a failed request: error response, 500, or just close if the client is gone. */
async function handleError(
  deps: OssDependencies,
  request: OssRequest,
  response: ServerResponse,
  error: unknown,
): Promise<void> {
  const { drain, fidelity, limitedLog, uploads } = deps;
  const { logger } = uploads;
  const requestId = request.id;
  if (error instanceof ClientVanished) {
    request.record.vanish();
    response.destroy();
    return;
  }
  if (error instanceof LostBody) warnOfLostBody(limitedLog, request.raw);
  const refusal = toRefusal(deps, error, request);
  const difference = refusal && differenceOf(refusal);
  if (difference !== undefined) fidelity.meet({ code: difference }, requestId, response);
  const details = { requestId, err: error };
  if (refusal === undefined) logger.error(details, 'could not handle a request');
  // A store logs by itself when it begins to fail.
  if (error instanceof LedgerUnavailable) limitedLog.warn(details, 'the ledger cannot be used');
  const answer = refusal ?? ossError('InternalError');
  request.record.refuse(answer.code, answer.reason);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  reportRefusal(deps, request.raw, response, describeRefusal(deps, answer, request));
  await refuse(request, response, answer, drain);
}

const OBJECT_OPERATIONS: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

function operationOf({ addresses, key, method }: ParsedRequest): string | undefined {
  if (method === 'OPTIONS') return 'Preflight';
  if (method === 'POST' && addresses.some(({ kind }) => kind === 'bucket')) return 'PostObject';
  return key === undefined ? undefined : OBJECT_OPERATIONS[method];
}

function describeRefusal(
  { corsRules }: OssDependencies,
  { code, ec, elements, status, summary }: OssError,
  request: OssRequest,
): RefusalRecord {
  const { headers, query, raw, record } = request;
  const { Condition, OSSAccessKeyId, SignatureProvided, StringToSign } = elements;
  return createRefusal(record, {
    headers: raw.headers,
    ...{ status, ec, message: summary },
    accessKeyId: OSSAccessKeyId ?? record.evidence.fields?.['ossaccesskeyid'],
    evidence: {
      ...record.evidence,
      details:
        Condition === undefined
          ? elements
          : argument(Condition, headers.get(Condition.toLowerCase()) ?? ''),
      signature: SignatureProvided,
      stringToSign: StringToSign,
      date: headers.get('x-oss-date') ?? query.get('x-oss-date') ?? headers.get('date'),
      ...(record.operation === 'Preflight' && {
        cors: {
          ...preflightOf(headers),
          ...(code === 'AccessForbidden' && { mismatches: findMismatches(corsRules, request) }),
        },
      }),
    },
  });
}

function preflightOf(headers: ReadonlyMap<string, string>): Evidence['cors'] {
  return {
    origin: headers.get('origin'),
    method: headers.get('access-control-request-method'),
    headers: headers.get('access-control-request-headers'),
  };
}

/** Errors that go away by themselves. */
const PASSING = [
  { kind: BudgetExhausted, row: 'ServiceUnavailable' },
  { kind: StoreUnavailable, row: 'ServiceUnavailable.store' },
  { kind: LedgerUnavailable, row: 'ServiceUnavailable.ledger' },
] as const;

/** @returns undefined for an error that the request did not cause */
function toRefusal(
  deps: OssDependencies,
  error: unknown,
  request: OssRequest,
): OssError | undefined {
  const { method } = request;
  if (error instanceof OssError) {
    if (error.code !== 'SignatureDoesNotMatch' || method === 'POST') return error;
    const other = findSignedBucket(deps, request);
    return other === undefined ? error : noSuchBucket(other);
  }
  if (error instanceof LostBody)
    return ossError('IncompleteBody.lost', { values: { reason: LOST_BODY } });
  const passing = PASSING.find(({ kind }) => error instanceof kind);
  if (passing !== undefined) return ossError(passing.row, { cause: error });
  if (!(error instanceof BrokenRequest)) return undefined;
  if (error.reason === 'timedOut') return ossError('RequestTimeout');
  const isMalformed = error.reason === 'malformed' || error.reason === 'tooManyChunks';
  return ossError(method === 'POST' && isMalformed ? 'MalformedPOSTRequest' : 'IncompleteBody');
}
