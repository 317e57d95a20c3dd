import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { findLeftBody, LostBody } from '../http/parsed-body.ts';
import { readChunks } from '../http/request-chunks.ts';
import { argument, ossError } from './errors.ts';
import { quote } from './fields.ts';
import type { OssRequest } from './oss-request.ts';

/**
 * Opens the body of a request, to be read once; the caller may stop after any chunk. A `Content-MD5` is compared with
 * the whole body; for a form that includes the boundaries and headers of its parts (OSS PostObject page of 2018).
 *
 * If a host application has read the body, uses the bytes that its parser has left.
 *
 * Reading throws ClientVanished or BrokenRequest when the request is incomplete, and `InvalidDigest` at the end of a
 * body with another MD5.
 * @throws OssError `InvalidDigest` when the header is not an MD5; LostBody when a parser has left no bytes
 */
export function openBody({ headers, raw }: OssRequest): AsyncIterable<Buffer> {
  const expected = headers.get('content-md5');
  if (expected === undefined) return readAll(raw);
  if (!isMd5(expected)) {
    const elements = argument('Content-MD5', quote(expected));
    throw ossError('InvalidDigest.malformed', { elements });
  }
  return withMd5(readAll(raw), expected);
}

function readAll(raw: IncomingMessage): AsyncIterable<Buffer> {
  const left = findLeftBody(raw);
  if (left.kind === 'untouched') return readChunks(raw);
  if (left.kind === 'bytes') return slices(left.bytes);
  throw new LostBody();
}

const SLICE_BYTES = 64 * 1024;

/** Yields bytes in pieces of the size in which they arrive from the network. */
async function* slices(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    yield bytes.subarray(at, at + SLICE_BYTES);
  }
}

async function* withMd5(
  chunks: AsyncIterable<Buffer>,
  expected: string,
): AsyncGenerator<Buffer, void, undefined> {
  const md5 = createHash('md5');
  for await (const chunk of chunks) {
    md5.update(chunk);
    yield chunk;
  }
  const measured = md5.digest('base64');
  if (measured === expected) return;
  // Ours: which elements OSS has here is unverified.
  const elements = { ...argument('Content-MD5', expected), CalculatedDigest: measured };
  throw ossError('InvalidDigest', { elements });
}

/** Encodes the decoded bytes again, because decoding accepts more than standard, padded Base64. */
function isMd5(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === text;
}

/**
 * @returns the length of the body as the client announces it, in bytes; undefined for a body sent in chunks
 * @throws OssError `MissingContentLength` for a request that announces no body at all
 */
export function contentLength(headers: ReadonlyMap<string, string>): number | undefined {
  const length = headers.get('content-length');
  if (length !== undefined) return Number(length);
  if (headers.has('transfer-encoding')) return undefined;
  throw ossError('MissingContentLength');
}
