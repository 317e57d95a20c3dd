import { createHash } from 'node:crypto';
import { readChunks } from '../http/request-chunks.ts';
import { ossError } from './errors.ts';
import type { OssRequest } from './oss-request.ts';

/**
 * Opens the body of a request, to be read once. Whoever reads it may stop at any chunk. If the request has a
 * `Content-MD5`, that is compared with the whole body, of a form with its boundaries and all (OSS PostObject page
 * of 2018).
 *
 * Reading throws ClientVanished or BrokenRequest when the request breaks off, and `InvalidDigest` at the end of a body with another
 * MD5.
 * @throws OssError `InvalidDigest` when the header is no MD5
 */
export function openBody({ headers, raw }: OssRequest): AsyncIterable<Buffer> {
  const expected = headers.get('content-md5');
  if (expected === undefined) return readChunks(raw);
  if (!isMd5(expected)) throw ossError('InvalidDigest.malformed');
  return withMd5(readChunks(raw), expected);
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
  if (md5.digest('base64') !== expected) throw ossError('InvalidDigest');
}

/** The way back tells standard, padded Base64 of 16 bytes from everything else. */
function isMd5(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === text;
}
