import type { ServerResponse } from 'node:http';
import { headerBytes } from '../../http/memory-budget.ts';
import { keptFields } from '../../refusals/refusal-record.ts';
import type { Evidence } from '../../refusals/refusal-record.ts';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { OssDependencies, OssOperation } from '../dependencies.ts';
import type { FormFields } from '../fields.ts';
import type { OssRequest } from '../oss-request.ts';
import { receiveObject } from '../receive-object.ts';
import { contentLength, openBody } from '../request-body.ts';
import { authorizeForm } from './authorize-form.ts';
import type { AuthorizeForm, FormCommand } from './authorize-form.ts';
import { isBoundaryQuoted } from './form-differences.ts';
import { withFaults } from './injected-faults.ts';
import { readBoundary } from './multipart.ts';
import { readForm } from './read-form.ts';
import type { PostForm } from './read-form.ts';
import { successHeaders } from './success-action.ts';

/**
 * Creates PostObject, which stores the file of a form: it reads the form up to its file, authorizes it, receives the
 * file and responds. It writes nothing before the form is authorized.
 */
export function createPostObject(deps: OssDependencies): OssOperation {
  const { faults, uploads, wallClock } = deps;
  const plain: AuthorizeForm = (form, request) => authorizeForm(deps, form, request);
  const authorize = faults === undefined ? plain : withFaults(faults, plain);
  return async (request, response) => {
    const command = await readCommand(deps, request, response, authorize);
    const object = await receiveObject(uploads, command, request.record);
    for (const [name, value] of successHeaders(object)) response.setHeader(name, value);
    response.setHeader('x-oss-server-time', String(elapsedSince(request.receivedAt, wallClock)));
    await command.success(response, object);
  };
}

/** Reads a form up to its file, and authorizes it. Until then its memory counts as that of an unsigned request. */
async function readCommand(
  { fidelity, unsigned }: OssDependencies,
  request: OssRequest,
  response: ServerResponse,
  authorize: AuthorizeForm,
): Promise<FormCommand> {
  const { headers, id } = request;
  const contentType = headers.get('content-type');
  const boundary = readBoundary(contentType);
  if (isBoundaryQuoted(contentType)) fidelity.meet({ code: 'QuotedBoundary' }, id, response);
  const length = contentLength(headers);
  const share = unsigned.open();
  const fields = new Map<string, string>();
  let file: PostForm['file'] | undefined;
  try {
    await share.grow(headerBytes(request.raw));
    const form = await readForm(openBody(request), boundary, length, share, fields);
    ({ file } = form);
    for (const difference of form.differences) fidelity.meet(difference, id, response);
    const key = fields.get('key');
    if (key !== undefined) request.record.keys = [key];
    const command = await authorize(form, request);
    allowSmallChunks(request.raw);
    return command;
  } catch (error) {
    request.record.evidence = formEvidence(fields, file);
    throw error;
  } finally {
    share.release();
  }
}

/** What was sent is noted only when it is refused, because an upload may take hours. */
function formEvidence(fields: FormFields, file: PostForm['file'] | undefined): Evidence {
  return {
    policy: fields.get('policy'),
    ...keptFields(fields),
    fileName: file?.filename,
    fileType: file?.contentType,
  };
}
