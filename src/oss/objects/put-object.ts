import type { IncomingMessage, ServerResponse } from 'node:http';
import { readTarget } from '../../http/request-target.ts';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { receiveUpload } from '../../uploads/receive.ts';
import { prepareSha256 } from '../../uploads/sha256.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import { readHeaders } from '../auth/signed-request.ts';
import type { AuthorizeDependencies } from '../auth/signed-request.ts';
import { ossError } from '../errors.ts';
import { notStored } from '../not-stored.ts';
import { storedHeaders } from '../object-headers.ts';
import { openBody } from '../request-body.ts';
import { digestHeaders } from '../response-headers.ts';
import { admitSize, withinSize } from '../size-limit.ts';
import { refuseOtherOperations } from './unsupported-operations.ts';

/** What putting works with. */
export interface PutObjectDependencies extends AuthorizeDependencies {
  readonly uploads: UploadDependencies;
  /** Whether the operator lets anybody read. */
  readonly publicRead: boolean;
}

/**
 * Answers PutObject (OSS "PutObject"): whoever holds the bucket key stores a body without a form, under the same
 * limits and as durably as PostObject does. A `Content-MD5` is compared with the body before it is recorded.
 * @throws OssError for a refusal; ClientVanished when the body breaks off
 */
export async function putObject(
  deps: PutObjectDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  key: string,
): Promise<void> {
  const { uploads, wallClock } = deps;
  const startedAt = wallClock.now();
  if (authorizeRequest(deps, request, { kind: 'object', key }) === 'anonymous') {
    throw ossError('AccessDenied.anonymousWrite');
  }
  refuseOtherOperations(readTarget(request).query);
  const headers = readHeaders(request.headers);
  refuseOtherHeaders(headers);
  const { maxUploadBytes } = uploads.rules;
  const limits = admitSize({ min: 0, max: undefined }, maxUploadBytes, announcedSize(headers));
  allowSmallChunks(request);
  const outcome = await receiveUpload(uploads, {
    key,
    headers: storedHeaders(headers, {
      contentType: headers.get('content-type'),
      requestAcl: undefined,
      publicRead: deps.publicRead,
    }),
    forbidOverwrite: headers.get('x-oss-forbid-overwrite')?.toLowerCase() === 'true',
    announcedSize: limits.announced,
    bytes: withinSize(openBody(request), limits),
  });
  if (outcome.kind !== 'stored') throw notStored(outcome.kind);
  prepareSha256(uploads, outcome.object);
  for (const [name, value] of digestHeaders(outcome.object)) response.setHeader(name, value);
  response.setHeader('x-oss-server-time', String(elapsedSince(startedAt, wallClock)));
  response.setHeader('Content-Length', 0);
  response.end();
}

/** Headers that make a PUT another operation, or one that depends on what is there already. */
const OTHER_HEADERS = [
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-unmodified-since'],
  ...['x-oss-callback', 'x-oss-copy-source'],
];

function refuseOtherHeaders(headers: ReadonlyMap<string, string>): void {
  const other = OTHER_HEADERS.find((name) => headers.has(name));
  if (other !== undefined) throw ossError('NotImplemented', { elements: { Header: other } });
}

/** @returns undefined for a body sent in chunks */
function announcedSize(headers: ReadonlyMap<string, string>): number | undefined {
  const length = headers.get('content-length');
  if (length !== undefined) return Number(length);
  if (headers.has('transfer-encoding')) return undefined;
  throw ossError('InvalidArgument.contentLength');
}
