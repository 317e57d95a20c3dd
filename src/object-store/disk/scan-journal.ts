import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { FileWindow } from './file-window.ts';
import type { JournalLine, JournalNote } from './journal-records.ts';
import { decodeLine, MAX_BODY_BYTES, MAX_LINE_BYTES, recordStarts } from './journal-records.ts';

/** A complete body in a journal. */
export interface FoundBody {
  readonly kind: 'body';
  readonly locator: string;
  /** Where its bytes begin, as an offset in the journal. */
  readonly position: number;
  readonly size: number;
}

/** Bytes of a journal that are not a record. */
export interface Gap {
  readonly kind: 'gap';
  readonly from: number;
  /** The offset of the first byte after it. */
  readonly to: number;
  /** It is a last record that a crash has cut off during the write; its body was never acknowledged. */
  readonly isTornTail: boolean;
}

export type JournalItem = FoundBody | ({ readonly kind: 'note' } & JournalNote) | Gap;

/** A record, and where the next one begins. */
interface ScannedRecord {
  readonly item: JournalItem;
  readonly end: number;
}

/** Enough for the longest record. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const NEWLINE = 0x0a;
/** This number of zeros at the end of a journal means: the file has grown, but its bytes have not reached the disk. */
const MIN_UNWRITTEN_ZEROS = 8;
const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Reads a journal of any size in bounded memory. After bytes that are not a complete record it searches the next
 * record.
 * @returns all records and gaps, in order and without overlap
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

/** @param mark - the mark of the journal; null: it has none; undefined: its first line cannot be read */
async function readRecord(
  window: FileWindow,
  position: number,
  mark: string | null | undefined,
): Promise<ScannedRecord | undefined> {
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

/** @returns the line that begins at a position, and the position after it */
async function readLine(
  window: FileWindow,
  position: number,
): Promise<{ line: JournalLine; end: number } | undefined> {
  const head = await window.view(position, MAX_LINE_BYTES);
  const length = head.indexOf(NEWLINE);
  const line = length < 0 ? undefined : decodeLine(head.toString('utf8', 0, length));
  return line && { line, end: position + length + 1 };
}

/** @returns the next position where a record may begin; the size of the journal when there is none */
async function findNext(
  window: FileWindow,
  from: number,
  starts: readonly string[],
): Promise<number> {
  const overlap = Math.max(...starts.map((start) => start.length)) - 1;
  for (let position = from; position < window.size;) {
    const bytes = await window.view(position, WINDOW_BYTES / 2);
    const offsets = starts.map((start) => bytes.indexOf(start)).filter((offset) => offset >= 0);
    if (offsets.length > 0) return position + Math.min(...offsets);
    if (position + bytes.length >= window.size) break;
    position += bytes.length - overlap;
  }
  return window.size;
}

/**
 * Whether a crash explains the bytes at the end of a journal: they are the beginning of one record, followed by
 * nothing, or by zeros in place of bytes that did not reach the disk.
 */
async function isTorn(window: FileWindow, from: number): Promise<boolean> {
  const end = await writtenEnd(window, from);
  if (end - from > MAX_LINE_BYTES + MAX_BODY_BYTES) return false;
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

/** @returns where the unwritten zeros at the end begin; the size of the journal when there are none */
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
  return window.size - end < MIN_UNWRITTEN_ZEROS ? window.size : end;
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
