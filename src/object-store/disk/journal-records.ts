import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isLocator } from '../../lib/ids.ts';

/** The maximum length of a line of a journal, in bytes. */
export const MAX_LINE_BYTES = 16 * 1024;
/** The maximum size of a body in a journal, in bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** The maximum number of locators in each list of a note; limits the length of its line. */
const MAX_NOTED = 100;

/*
 * A journal is a sequence of records. A record begins with a line of JSON: either the header of a body, followed by its
 * bytes, or a note. Each line has a checksum of itself, and the random mark of the journal. Clients cannot know the
 * mark, so a header inside the bytes of a body is not taken for a record. Older journals have no mark, checksum or
 * notes.
 */

const mark = z.string().regex(/^[0-9a-z]{32}$/);
const locator = z.string().refine(isLocator);
const body = {
  locator,
  size: z.number().int().min(0).max(MAX_BODY_BYTES),
  /** Lower-case hexadecimal. */
  md5: z.string().regex(/^[0-9a-f]{32}$/),
};
const unmarkedHeader = z.strictObject(body);
const header = z.strictObject({ mark, ...body });
const note = z.strictObject({ mark, settled: z.array(locator), gone: z.array(locator) });

/** The line before the bytes of a body. */
export type JournalHeader = z.infer<typeof unmarkedHeader>;

/** Which bodies of the same journal were committed or deleted. */
export interface JournalNote {
  /** Bodies that the ledger has recorded. On disk the key is `settled`, which older journals have, too. */
  readonly committed: readonly string[];
  /** Bodies that were deleted and are not needed any more. */
  readonly gone: readonly string[];
}

/** A line of a journal. `mark` is undefined in an older journal. */
export type JournalLine =
  | ({ readonly kind: 'body'; readonly mark: string | undefined } & JournalHeader)
  | ({ readonly kind: 'note'; readonly mark: string } & JournalNote);

export function encodeHeader(fileMark: string, fields: JournalHeader): Buffer {
  return encodeLine({ mark: fileMark, ...fields });
}

/** @returns one or more lines; nothing for an empty note */
export function encodeNote(fileMark: string, { committed, gone }: JournalNote): Buffer {
  const lines: Buffer[] = [];
  for (let at = 0; at < Math.max(committed.length, gone.length); at += MAX_NOTED) {
    const some = (locators: readonly string[]): string[] => locators.slice(at, at + MAX_NOTED);
    lines.push(encodeLine({ mark: fileMark, settled: some(committed), gone: some(gone) }));
  }
  return Buffer.concat(lines);
}

function encodeLine(fields: object): Buffer {
  const text = JSON.stringify(fields);
  return Buffer.from(`${text.slice(0, -1)},"crc":"${checksum(text)}"}\n`);
}

/** @param line - without the line break. @returns undefined when it is not a line of a journal */
export function decodeLine(line: string): JournalLine | undefined {
  const [, start, crc] = /^(\{.*),"crc":"([0-9a-f]{8})"\}$/.exec(line) ?? [];
  if (start === undefined) {
    const old = unmarkedHeader.safeParse(parseJson(line)).data;
    return old && { kind: 'body', mark: undefined, ...old };
  }
  const text = `${start}}`;
  if (checksum(text) !== crc) return undefined;
  const fields = parseJson(text);
  const asBody = header.safeParse(fields).data;
  if (asBody !== undefined) return { kind: 'body', ...asBody };
  const asNote = note.safeParse(fields).data;
  return (
    asNote && { kind: 'note', mark: asNote.mark, committed: asNote.settled, gone: asNote.gone }
  );
}

/** @param fileMark - the mark of the journal; null: it has none; undefined: unknown. @returns how its records begin */
export function recordStarts(fileMark: string | null | undefined): string[] {
  if (fileMark === null) return ['{"locator":"'];
  return fileMark === undefined ? ['{"locator":"', '{"mark":"'] : [`{"mark":"${fileMark}"`];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
