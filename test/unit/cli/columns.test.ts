import { displayWidth, formatTable, shortenMiddle } from '../../../src/cli/columns.ts';
import { formatSize } from '../../../src/cli/people.ts';
import { formatSpan } from '../../../src/lib/time-span.ts';
import { progressBar } from '../../../src/cli/progress-bar.ts';
import { shellWord } from '../../../src/cli/shell-word.ts';
import { suffixOf } from '../../../src/policy/file-suffix.ts';

const COLUMNS = [
  { title: 'NAME', text: ({ name }: Row) => name },
  { title: 'KEY', text: ({ key }: Row) => key, canShorten: true },
  { title: 'SIZE', text: ({ size }: Row) => size },
];

interface Row {
  readonly name: string;
  readonly key: string;
  readonly size: string;
}

const ROWS: readonly Row[] = [
  { name: '路灯', key: 'ota/0123456789abcdef.bin', size: '1 B' },
  { name: 'lamp', key: 'ota/b.bin', size: '' },
];

describe('a table', () => {
  it('has a header, no borders, no spaces at the ends of lines, and counts wide characters twice', () => {
    expect(formatTable(COLUMNS, ROWS)).toBe(
      [
        'NAME  KEY                       SIZE',
        '路灯  ota/0123456789abcdef.bin  1 B',
        'lamp  ota/b.bin',
        '',
      ].join('\n'),
    );
  });

  it('leaves out the middle of a key when the terminal is narrow', () => {
    const lines = formatTable(COLUMNS, ROWS, 32).split('\n');
    expect(lines[1]).toBe('路灯  ota/01234...cdef.bin  1 B');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(32);
  });

  it('leaves out an extra column when the terminal has no room for it, and only then', () => {
    const extended = [...COLUMNS, { title: 'FROM', text: () => '192.0.2.1', isExtra: true }];
    expect(formatTable(extended, ROWS)).toContain('SIZE  FROM\n');
    expect(formatTable(extended, ROWS.slice(1), 40)).toContain('FROM\n');
    expect(formatTable(extended, ROWS.slice(1), 29)).toBe(formatTable(COLUMNS, ROWS.slice(1), 29));
  });

  it('paints a cell after it was padded, so that columns stay aligned', () => {
    const painted = [{ title: 'A', text: () => 'x', paint: (text: string) => `<${text}>` }];
    expect(formatTable([...painted, ...COLUMNS], ROWS.slice(1))).toMatch(/^<x> {2}lamp/m);
  });

  it.each([
    ['abc', 3],
    ['固件', 4],
    ['e\u0301', 1],
    ['\u{1f4a1}', 2],
    ['ｆ', 2],
    ['', 0],
  ])('knows the width of %j', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('shortens by display width', () => {
    expect(shortenMiddle('固件固件固件固件', 9)).toBe('固...固件');
    expect(shortenMiddle('abc', 3)).toBe('abc');
  });
});

describe('texts for people', () => {
  it.each([
    [0, '0 s'],
    [90_000, '90 s'],
    [130_000, '2 min'],
    [3_600_000 * 5, '5 h'],
    [86_400_000 * 3, '3 d'],
    [-130_000, '-2 min'],
  ])('says %d ms as %s', (span, text) => {
    expect(formatSpan(span)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [5 * 1024 ** 4, '5120.0 GiB'],
  ])('says %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it.each([
    ['a.bin', 'bin'],
    ['A.TAR.GZ', 'tar.gz'],
    ['a.gz', 'gz'],
    ['noext', 'bin'],
    ['a.txt', 'bin'],
    ['zip', 'bin'],
  ])('takes from the file name %s the suffix %s', (name, suffix) => {
    expect(suffixOf(name)).toBe(suffix);
  });

  it.each([
    ['ota/a.bin', 'ota/a.bin'],
    ["it's $(x)", `'it'\\''s $(x)'`],
    ['', "''"],
  ])('writes %j as the word %s of a shell', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});

describe('a progress bar', () => {
  it('says the rate and the time that is left', () => {
    let now = 0;
    const lines: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    const bar = progressBar(output, 'a.bin', 10 * 1024 * 1024, { now: () => now });
    now = 2000;
    bar.update(2 * 1024 * 1024);
    now = 10_000;
    bar.update(10 * 1024 * 1024);
    expect(lines).toEqual([
      'a.bin [######........................]  20 %  2.0 MiB of 10.0 MiB  1.0 MiB/s, 8 s left\n',
      'a.bin [##############################] 100 %  10.0 MiB of 10.0 MiB  1.0 MiB/s\n',
    ]);
  });
});
