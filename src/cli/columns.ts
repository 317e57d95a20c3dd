/** Characters that take two columns of a terminal: East Asian wide and full-width ones, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{M}/u;

/** @returns the columns that a text takes on a terminal */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (WIDE.test(character)) width += 2;
    else if (!COMBINING.test(character)) width += 1;
  }
  return width;
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Its middle may be left out when the table is too wide. */
  readonly canShorten?: boolean;
  /** It is left out when the others would have to be too short for it. */
  readonly isExtra?: boolean;
  /** Adds color to a padded text. */
  readonly paint?: (text: string, row: Row) => string;
}

const GAP = '  ';

/**
 * Formats a table: a header in capitals, no borders, no spaces at the ends of lines.
 * @param width - columns of the terminal; undefined for any
 */
export function formatTable<Row>(
  allColumns: readonly Column<Row>[],
  rows: readonly Row[],
  width?: number,
): string {
  const columns = hasRoomForAll(allColumns, rows, width)
    ? allColumns
    : allColumns.filter(({ isExtra }) => isExtra !== true);
  const cells = rows.map((row) => columns.map(({ text }) => text(row)));
  const widths = columns.map((column) => widthOf(column, rows));
  const fitted = width === undefined ? widths : fit(columns, widths, width);
  const lines = rows.map((row, index) =>
    joinCells(
      columns.map(({ paint }, column) => {
        const room = fitted[column] ?? 0;
        const padded = pad(shortenMiddle(cells[index]?.[column] ?? '', room), room);
        return paint === undefined ? padded : paint(padded, row);
      }),
    ),
  );
  const header = joinCells(columns.map(({ title }, column) => pad(title, fitted[column] ?? 0)));
  return [header, ...lines].map((line) => `${line}\n`).join('');
}

function widthOf<Row>({ text, title }: Column<Row>, rows: readonly Row[]): number {
  return Math.max(displayWidth(title), ...rows.map((row) => displayWidth(text(row))));
}

/** So much of a key is still easy to tell from another one. */
const READABLE = 32;

function hasRoomForAll<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Infinity,
): boolean {
  const least = columns.map((column) => {
    const full = widthOf(column, rows);
    return column.canShorten === true ? Math.min(full, READABLE) : full;
  });
  return least.reduce((sum, each) => sum + each, GAP.length * (least.length - 1)) <= width;
}

function joinCells(cells: readonly string[]): string {
  return cells.join(GAP).replace(/ +$/, '');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

const SHORTEST = 16;

/** Takes from the columns that can be shortened what the table is too wide. */
function fit<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
  width: number,
): number[] {
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  return widths.map((each, index) => {
    if (columns[index]?.canShorten !== true || excess <= 0) return each;
    const shorter = Math.max(Math.min(SHORTEST, each), each - excess);
    excess -= each - shorter;
    return shorter;
  });
}

const ELLIPSIS = '...';

/** Leaves out the middle of a text that is wider than `width`: the ends of a key tell keys apart. */
export function shortenMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const characters = Array.from(text);
  const room = Math.max(0, width - ELLIPSIS.length);
  const start = takeWidth(characters, Math.ceil(room / 2));
  const end = takeWidth(characters.toReversed(), room - displayWidth(start.join('')));
  return start.join('') + ELLIPSIS + end.toReversed().join('');
}

function takeWidth(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += displayWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}
