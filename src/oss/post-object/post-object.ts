import type { IncomingMessage, ServerResponse } from 'node:http';
import { headerBytes } from '../../http/memory-budget.ts';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { elapsedSince } from '../../lib/clock.ts';
import { receiveUpload } from '../../uploads/receive.ts';
import type { ReceiveRequest } from '../../uploads/receive.ts';
import { prepareSha256 } from '../../uploads/sha256.ts';
import { notStored } from '../not-stored.ts';
import { storedHeaders } from '../object-headers.ts';
import { openBody } from '../request-body.ts';
import type { OssDependencies } from '../router.ts';
import { admitSize, withinSize } from '../size-limit.ts';
import { authorizeForm } from './authorize-form.ts';
import { injectFault } from './injected-faults.ts';
import { readBoundary } from './multipart.ts';
import { readForm } from './read-form.ts';
import type { PostForm } from './read-form.ts';
import { respondToPost, readSuccessAction } from './success-action.ts';
import type { SuccessAction } from './success-action.ts';

/** What a good form asks for. Its fields are not kept: they may be many bytes, and an upload may take hours. */
interface UploadCommand {
  readonly body: ReceiveRequest;
  readonly success: SuccessAction;
  /** To be called when the file is stored. @throws OssError for an injected refusal that leaves it stored */
  readonly afterwards: () => void;
}

/**
 * Stores the file of a form (OSS PostObject): read the form up to its file, authorize it, receive the file, answer.
 * Nothing is written before the form is authorized.
 * @throws OssError for a form that is refused; ClientVanished or BrokenRequest when it does not come to its end
 */
export async function postObject(
  deps: OssDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const { uploads, wallClock } = deps;
  const startedAt = wallClock.now();
  const { afterwards, body, success } = await readCommand(deps, request, requestId);
  const outcome = await receiveUpload(uploads, body);
  if (outcome.kind !== 'stored') throw notStored(outcome.kind);
  const { object } = outcome;

  prepareSha256(uploads, object);
  afterwards();
  const { bucket } = uploads.rules;
  const elapsed = elapsedSince(startedAt, wallClock);
  const posted = { bucket, key: body.key, object, requestId, elapsed };
  await respondToPost(request, response, success, posted, deps);
}

/** Reads a form up to its file, and authorizes it; until then it holds a share of what unsigned requests may hold. */
async function readCommand(
  deps: OssDependencies,
  request: IncomingMessage,
  requestId: string,
): Promise<UploadCommand> {
  const boundary = readBoundary(request.headers['content-type']);
  const share = deps.unsigned.open();
  try {
    await share.grow(headerBytes(request));
    const body = openBody(request);
    const form = await readForm(body, boundary, contentLength(request), share);
    const command = await authorize(deps, request, form, requestId);
    allowSmallChunks(request);
    return command;
  } finally {
    share.release();
  }
}

async function authorize(
  deps: OssDependencies,
  request: IncomingMessage,
  form: PostForm,
  requestId: string,
): Promise<UploadCommand> {
  const { bucketKey, publicRead, region, uploads, wallClock } = deps;
  const { bucket, maxUploadBytes } = uploads.rules;
  const clocks = { now: uploads.clock.now(), wallNow: wallClock.now() };
  const { unsigned: unsignedCallbacks } = deps.callback;
  const authorized = authorizeForm(form, {
    bucket,
    bucketKey,
    region,
    unsignedCallbacks,
    ...clocks,
  });
  const { key, contentType, size } = authorized;
  const requestAcl = request.headers['x-oss-object-acl']?.toString();
  const headers = storedHeaders(form.fields, { contentType, requestAcl, publicRead });
  const planned = { bucket, key, requestId, headers };
  const success = readSuccessAction(form.fields, request, planned, deps.callback);
  const limits = admitSize(size, maxUploadBytes, form.file.announcedSize);
  const fault = deps.faults.take({ operation: 'PostObject', key });
  const { bytes, afterwards } = await injectFault(fault, request, form, authorized);
  const body = {
    key,
    headers,
    forbidOverwrite: form.fields.get('x-oss-forbid-overwrite')?.toLowerCase() === 'true',
    announcedSize: form.file.announcedSize,
    bytes: withinSize(bytes, limits),
  };
  return { body, success, afterwards };
}

function contentLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}
