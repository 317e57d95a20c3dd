import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultPlan } from '../faults/fault-plan.ts';
import type { DrainLimits } from '../http/drain.ts';
import { formatHttpDate } from '../http/http-date.ts';
import { BudgetExhausted } from '../http/memory-budget.ts';
import type { MemoryBudget } from '../http/memory-budget.ts';
import { BrokenRequest, ClientVanished } from '../http/request-chunks.ts';
import type { Clock } from '../lib/clock.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { allowOrigin, answerPreflight } from './cors.ts';
import type { CorsRule } from './cors.ts';
import { refuse } from './error-response.ts';
import { OssError, ossError } from './errors.ts';
import { findAddress } from './object-address.ts';
import { deleteObject } from './objects/delete-object.ts';
import { getObject } from './objects/get-object.ts';
import { putObject } from './objects/put-object.ts';
import type { CallbackRule } from './post-object/callback-config.ts';
import { postObject } from './post-object/post-object.ts';

/** What the OSS host works with. */
export interface OssDependencies {
  readonly uploads: UploadDependencies;
  readonly bucketKey: BucketKey;
  /** Region in V4 credentials, e.g. `cn-shanghai`. */
  readonly region: string;
  /** Scheme and host as clients see them; undefined to take them from each request. */
  readonly publicUrl: string | undefined;
  /** The machine's own clock, which real clients date their requests by. */
  readonly wallClock: Clock;
  /** Whether anybody may read objects without a signature. */
  readonly publicRead: boolean;
  readonly corsRules: readonly CorsRule[];
  readonly callback: CallbackRule;
  readonly faults: FaultPlan;
  /** What a refused request may still send. */
  readonly drain: DrainLimits;
  /** What forms hold in memory before they are known to be signed. */
  readonly unsigned: MemoryBudget;
}

/** Answers a request. */
export type OssHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Makes the OSS host: it answers every request that reaches it, and passes none on. */
export function createOssRouter(deps: OssDependencies): OssHandler {
  const { clock, ids } = deps.uploads;
  return async (request, response) => {
    const requestId = ids.ossRequest();
    response.setHeader('Server', 'AliyunOSS');
    response.setHeader('Date', formatHttpDate(clock.now()));
    response.setHeader('x-oss-request-id', requestId);
    try {
      await route(deps, request, response, requestId);
    } catch (error) {
      await handleError(deps, request, response, { error, requestId });
    }
  };
}

async function route(
  deps: OssDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const { method = '' } = request;
  const address = findAddress(request, deps.uploads.rules.bucket);
  if (address.kind === 'foreignBucket') {
    throw ossError('NoSuchBucket', { elements: { BucketName: address.name } });
  }
  if (method === 'OPTIONS') {
    answerPreflight(deps.corsRules, request, response);
    return;
  }
  allowOrigin(deps.corsRules, request, response);
  if (address.kind === 'invalid') throw ossError('InvalidObjectName');
  if (address.kind === 'bucket') {
    if (method !== 'POST') throw methodNotAllowed(method, 'Bucket', ['POST'], response);
    await postObject(deps, request, response, requestId);
    return;
  }
  const operation = OBJECT_OPERATIONS.get(method);
  if (operation === undefined) {
    throw methodNotAllowed(method, 'Object', [...OBJECT_OPERATIONS.keys()], response);
  }
  await operation(deps, request, response, address.key);
}

type ObjectOperation = (
  deps: OssDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  key: string,
) => Promise<void>;

const OBJECT_OPERATIONS: ReadonlyMap<string, ObjectOperation> = new Map([
  ['GET', getObject],
  ['HEAD', getObject],
  ['PUT', putObject],
  ['DELETE', deleteObject],
]);

/** How OSS writes the type of a resource is unverified. */
function methodNotAllowed(
  method: string,
  resourceType: 'Bucket' | 'Object',
  allowed: readonly string[],
  response: ServerResponse,
): OssError {
  response.setHeader('Allow', [...allowed, 'OPTIONS'].join(', '));
  return ossError('MethodNotAllowed', {
    elements: { Method: method, ResourceType: resourceType },
  });
}

/** Handles a failed request: error response, 500, or just close if the client is gone. */
async function handleError(
  { uploads, drain }: OssDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  { error, requestId }: { readonly error: unknown; readonly requestId: string },
): Promise<void> {
  if (error instanceof ClientVanished) {
    uploads.logger.debug({ requestId }, 'the client went away during its upload');
    response.destroy();
    return;
  }
  if (error instanceof BrokenRequest) {
    const { reason } = error;
    uploads.logger.debug({ requestId, reason }, 'the client has not sent all of its request');
  }
  const refusal = toRefusal(error, request);
  if (refusal === undefined) {
    uploads.logger.error({ requestId, err: error }, 'could not answer a request');
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  await refuse(request, response, refusal ?? ossError('InternalError'), requestId, drain);
}

/** @returns undefined for an error that the request has not caused */
function toRefusal(error: unknown, { method }: IncomingMessage): OssError | undefined {
  if (error instanceof OssError) return error;
  if (error instanceof BudgetExhausted) return ossError('ServiceUnavailable');
  if (!(error instanceof BrokenRequest)) return undefined;
  if (error.reason === 'timedOut') return ossError('RequestTimeout');
  const isMalformed = error.reason === 'malformed' || error.reason === 'tooManyChunks';
  return ossError(method === 'POST' && isMalformed ? 'MalformedPOSTRequest' : 'IncompleteBody');
}
