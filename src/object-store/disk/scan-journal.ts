import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { FileWindow } from './file-window.ts';
import type { JournalLine, JournalNote } from './journal-records.ts';
import { decodeLine, MOST_BODY_BYTES, MOST_LINE_BYTES, recordStarts } from './journal-records.ts';

/** A body that stands whole in a journal. */
export interface FoundBody {
  readonly kind: 'body';
  readonly locator: string;
  /** Where its bytes begin, in bytes from the start of the journal. */
  readonly position: number;
  readonly size: number;
}

/** Bytes of a journal that are no record. */
export interface Gap {
  readonly kind: 'gap';
  readonly from: number;
  /** The first byte behind it. */
  readonly to: number;
  /** The last record, as a crash cuts it while it is being written: nobody was told that it is stored. */
  readonly isTornTail: boolean;
}

export type JournalItem = FoundBody | ({ readonly kind: 'note' } & JournalNote) | Gap;

/** A record, and where the next one begins. */
interface Found {
  readonly item: JournalItem;
  readonly end: number;
}

/** Enough for the longest record. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const NEWLINE = 0x0a;
/** So many zeros at the end of a journal were never written: the file grew, and its bytes did not reach the disk. */
const UNWRITTEN_ZEROS = 8;
const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Reads a journal of any size in bounded memory. Behind a record that is not whole it looks for the next one.
 * @returns everything in it, in order and without overlap
 */
export async function* scanJournal(file: FileHandle): AsyncGenerator<JournalItem, void, undefined> {
  const window = await FileWindow.open(file, WINDOW_BYTES);
  const first = await readLine(window, 0);
  const mark = first && (first.line.mark ?? null);
  let gap: number | undefined;
  let position = 0;
  while (position < window.size) {
    const found = await readRecord(window, position, mark);
    if (found === undefined) {
      gap ??= position;
      position = await findNext(window, position + 1, recordStarts(mark));
      continue;
    }
    if (gap !== undefined) yield { kind: 'gap', from: gap, to: position, isTornTail: false };
    gap = undefined;
    yield found.item;
    position = found.end;
  }
  if (gap === undefined) return;
  const isTornTail = await isTorn(window, gap);
  yield { kind: 'gap', from: gap, to: window.size, isTornTail };
}

/** @param mark - of the journal; null: it has none; undefined: its first line cannot be read */
async function readRecord(
  window: FileWindow,
  position: number,
  mark: string | null | undefined,
): Promise<Found | undefined> {
  const found = await readLine(window, position);
  if (found === undefined) return undefined;
  const { end, line } = found;
  if (mark !== undefined && (line.mark ?? null) !== mark) return undefined;
  if (line.kind === 'note') return { item: line, end };
  const { locator, md5, size } = line;
  const bytes = await window.view(end, size);
  if (bytes.length < size || md5Of(bytes) !== md5) return undefined;
  return { item: { kind: 'body', locator, position: end, size }, end: end + size };
}

/** @returns the line that begins at a position, and where the next byte is */
async function readLine(
  window: FileWindow,
  position: number,
): Promise<{ line: JournalLine; end: number } | undefined> {
  const head = await window.view(position, MOST_LINE_BYTES);
  const length = head.indexOf(NEWLINE);
  const line = length < 0 ? undefined : decodeLine(head.toString('utf8', 0, length));
  return line && { line, end: position + length + 1 };
}

/** @returns where a record may begin next; the size of the journal when there is no more */
async function findNext(
  window: FileWindow,
  from: number,
  starts: readonly string[],
): Promise<number> {
  const overlap = Math.max(...starts.map((start) => start.length)) - 1;
  for (let position = from; position < window.size;) {
    const bytes = await window.view(position, WINDOW_BYTES / 2);
    const places = starts.map((start) => bytes.indexOf(start)).filter((place) => place >= 0);
    if (places.length > 0) return position + Math.min(...places);
    if (position + bytes.length >= window.size) break;
    position += bytes.length - overlap;
  }
  return window.size;
}

/**
 * Whether a crash explains what stands at the end of a journal: the beginning of one record, and then nothing, or
 * zeros that stand for bytes that did not reach the disk.
 */
async function isTorn(window: FileWindow, from: number): Promise<boolean> {
  const end = await writtenEnd(window, from);
  if (end - from > MOST_LINE_BYTES + MOST_BODY_BYTES) return false;
  const found = await readLine(window, from);
  if (found !== undefined && found.end <= end) {
    return found.line.kind === 'body' && found.end + found.line.size > end;
  }
  const head = await window.view(from, end - from);
  const starts = recordStarts(undefined);
  return (
    !head.includes(NEWLINE) &&
    starts.some((start) => start.startsWith(head.toString('latin1', 0, start.length)))
  );
}

/** @returns where the zeros begin that were never written; the size of the journal when there are none */
async function writtenEnd(window: FileWindow, from: number): Promise<number> {
  let end = window.size;
  while (end > from) {
    const start = Math.max(from, end - ZEROS.length);
    const bytes = await window.view(start, end - start);
    if (!bytes.equals(ZEROS.subarray(0, bytes.length))) {
      end = start + bytes.findLastIndex((byte) => byte !== 0) + 1;
      break;
    }
    end = start;
  }
  return window.size - end < UNWRITTEN_ZEROS ? window.size : end;
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
