import type { IncomingMessage, ServerResponse } from 'node:http';
import { receiveUpload } from '../uploads/receive.ts';
import { prepareSha256 } from '../uploads/sha256.ts';
import { answerPost, readAnswerWish } from './answer-post.ts';
import { storedHeaders } from './form-headers.ts';
import { judgeForm } from './judge-form.ts';
import { sufferFault } from './ordered-faults.ts';
import { readBoundary } from './multipart-boundary.ts';
import { readForm } from './read-form.ts';
import { notStored } from './not-stored.ts';
import { openBody } from './request-body.ts';
import type { OssParts } from './router.ts';
import { admitSize, withinSize } from './size-limit.ts';

/**
 * Stores the file of a form (OSS PostObject): find the form in the body, read it up to its file, judge it, receive
 * the file, answer. Nothing is written before the form has been judged.
 * @throws OssError for a form that is refused; ClientVanished when the client does not wait for its answer
 */
export async function postObject(
  parts: OssParts,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const { uploads, wallClock } = parts;
  const { bucket, maxUploadBytes } = uploads.rules;
  const startedAt = wallClock.now();
  const boundary = readBoundary(request.headers['content-type']);
  const form = await readForm(openBody(request), boundary, contentLength(request));

  const { bucketKey, region, publicRead } = parts;
  const clocks = { now: uploads.clock.now(), wallNow: wallClock.now() };
  const judged = judgeForm(form, { bucket, bucketKey, region, ...clocks });
  const { key, contentType, size } = judged;
  const requestAcl = request.headers['x-oss-object-acl']?.toString();
  const headers = storedHeaders(form.fields, { contentType, requestAcl, publicRead });
  const wish = readAnswerWish(form.fields, parts.callback);
  const limits = admitSize(size, maxUploadBytes, form.file.announcedSize);
  const fault = parts.faults.take({ operation: 'PostObject', key });
  const { bytes, afterwards } = await sufferFault(fault, request, form, judged);

  const outcome = await receiveUpload(uploads, {
    key,
    headers,
    forbidOverwrite: form.fields.get('x-oss-forbid-overwrite')?.toLowerCase() === 'true',
    announcedSize: form.file.announcedSize,
    bytes: withinSize(bytes, limits),
  });
  if (outcome.kind !== 'stored') throw notStored(outcome.kind);
  const { object } = outcome;

  prepareSha256(uploads, object);
  afterwards();
  const posted = { bucket, key, object, requestId, elapsed: wallClock.now() - startedAt };
  await answerPost(request, response, wish, posted, parts.publicUrl);
}

function contentLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}
