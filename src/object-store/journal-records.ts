import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { unlessMissing } from './files.ts';
import { JOURNAL } from './layout.ts';

/** What stands before the bytes of a body: a line of JSON. */
const header = z.object({
  locator: z.string(),
  size: z.number().int().nonnegative(),
  /** Lower-case hexadecimal. */
  md5: z.string(),
});
export type JournalHeader = z.infer<typeof header>;

export function encodeHeader(fields: JournalHeader): Buffer {
  return Buffer.from(`${JSON.stringify(fields)}\n`);
}

/** @returns the paths of all journals of a data folder, oldest first */
export async function listJournals(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, JOURNAL);
  const names = (await unlessMissing(readdir(folder))) ?? [];
  return names.sort((a, b) => Number(a) - Number(b)).map((name) => join(folder, name));
}

/** Reads journals. @returns the bytes of all bodies in them, by locator */
export async function readJournals(paths: readonly string[]): Promise<Map<string, Buffer>> {
  const bodies = new Map<string, Buffer>();
  for (const path of paths) {
    // A server that is running may have removed it meanwhile.
    const content = (await unlessMissing(readFile(path))) ?? Buffer.alloc(0);
    for (const [locator, bytes] of bodiesIn(content)) bodies.set(locator, bytes);
  }
  return bodies;
}

/** Ends at the first body that is not whole: a crash has cut it, so nobody was told of it. */
function* bodiesIn(content: Buffer): Iterable<readonly [locator: string, bytes: Buffer]> {
  let position = 0;
  for (;;) {
    const start = content.indexOf('\n', position) + 1;
    const fields = parseHeader(content.toString('utf8', position, start));
    if (fields === undefined) return;
    position = start + fields.size;
    const bytes = content.subarray(start, position);
    if (bytes.length < fields.size || md5Of(bytes) !== fields.md5) return;
    yield [fields.locator, bytes];
  }
}

function parseHeader(line: string): JournalHeader | undefined {
  try {
    return header.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
