/** A part to write: its unchanged header lines, without the empty line. */
export interface RawPart {
  readonly headers: readonly string[];
  readonly body: Buffer | string;
}

export const BOUNDARY = 'bOuNdArY';

/** Writes a multipart body, with its header lines in UTF-8. */
export function multipart(parts: readonly RawPart[], boundary = BOUNDARY): Buffer {
  const pieces = parts.flatMap(({ headers, body }) => [
    Buffer.from(`--${boundary}\r\n`),
    Buffer.from(headers.map((line) => `${line}\r\n`).join('')),
    Buffer.from('\r\n'),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

/** A plain form field. */
export function field(name: string, value: string | Buffer): RawPart {
  return { headers: [`Content-Disposition: form-data; name="${name}"`], body: value };
}

/** Cuts bytes into chunks of a size. */
export function chunksOf(bytes: Buffer, size: number): Buffer[] {
  const chunks = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** Cuts bytes in two. */
export function splitAt(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)].filter((chunk) => chunk.length > 0);
}

/** A body that yields chunk by chunk. */
export async function* streamOf(chunks: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}
