import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHeader, encodeNote } from '../../../../src/object-store/disk/journal-records.ts';
import type { JournalItem } from '../../../../src/object-store/disk/scan-journal.ts';
import { scanJournal } from '../../../../src/object-store/disk/scan-journal.ts';
import { temporaryFolder } from '../../../support/built-gateway.ts';
import { md5Hex, patternBytes } from '../../../support/bytes.ts';

const MARK = '0123456789abcdef0123456789abcdef';

interface Format {
  readonly name: string;
  readonly record: (locator: string, bytes: Buffer) => Buffer;
}

const NEW: Format = {
  name: 'a journal',
  record: (locator, bytes) =>
    Buffer.concat([encodeHeader(MARK, { locator, size: bytes.length, md5: md5Hex(bytes) }), bytes]),
};

const OLD: Format = {
  name: 'a journal of an older version',
  record: (locator, bytes) => {
    const header = { locator, size: bytes.length, md5: md5Hex(bytes) };
    return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes]);
  },
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder.remove());

async function scan(content: Buffer): Promise<JournalItem[]> {
  const path = join(folder.path, 'journal');
  await writeFile(path, content);
  await using file = await open(path);
  const items: JournalItem[] = [];
  for await (const item of scanJournal(file)) items.push(item);
  return items;
}

/** @returns the items in short: locators, `gap`, `torn` and `note` */
async function outline(content: Buffer): Promise<string> {
  const items = await scan(content);
  const words = items.map((item) => {
    if (item.kind === 'body') return item.locator;
    if (item.kind === 'note') return 'note';
    return item.isTornTail ? 'torn' : 'gap';
  });
  return words.join(' ');
}

function flip(content: Buffer, at: number): Buffer {
  const copy = Buffer.from(content);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe.each([NEW, OLD])('$name', ({ record }) => {
  const bodies = ['a1', 'a2', 'a3'].map((locator, n) =>
    record(locator, patternBytes(1000 + 100_000 * n)),
  );
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = bodies;
  const whole = Buffer.concat(bodies);

  it('has the bodies at the returned positions', async () => {
    for (const item of await scan(whole)) {
      if (item.kind !== 'body') throw new Error(item.kind);
      const bytes = whole.subarray(item.position, item.position + item.size);
      expect(bytes.equals(patternBytes(item.size))).toBe(true);
    }
    expect(await outline(whole)).toBe('a1 a2 a3');
    expect(await outline(Buffer.alloc(0))).toBe('');
  });

  it.each([
    ['the first byte', 0],
    ['the first header', 20],
    ['the first body', first.length - 1],
  ])('has readable records after a flipped bit in %s', async (_where, at) => {
    expect(await outline(flip(whole, at))).toBe('gap a2 a3');
  });

  it('has readable records before and after a flipped bit', async () => {
    for (const at of [1, 30, 50, second.length - 1]) {
      expect(await outline(flip(whole, first.length + at))).toBe('a1 gap a3');
    }
  });

  it('has a gap with the exact bytes that are not a record', async () => {
    const [, gap] = await scan(flip(whole, first.length + 500));
    const to = first.length + second.length;
    expect(gap).toEqual({ kind: 'gap', from: first.length, to, isTornTail: false });
  });

  it('is not damaged when a crash has cut off its last record', async () => {
    const before = first.length + second.length;
    for (const cut of [1, 5, 12, 40, 90, 1000, third.length - 1]) {
      expect(await outline(whole.subarray(0, before + cut))).toBe('a1 a2 torn');
    }
  });

  it('is not damaged when it ends with zeros in place of bytes that did not reach the disk', async () => {
    const before = first.length + second.length;
    for (const written of [0, 12, 1000, 100_000]) {
      const zeroed = Buffer.concat([whole, Buffer.alloc(3_000_000)]).fill(0, before + written);
      expect(await outline(zeroed)).toBe('a1 a2 torn');
    }
  });

  it('is damaged when its last record is complete, but has other bytes', async () => {
    const before = first.length + second.length;
    for (const at of [40, third.length - 1]) {
      expect(await outline(flip(whole, before + at))).toBe('a1 a2 gap');
    }
    expect(await outline(Buffer.concat([whole, Buffer.from('something else\n')]))).toBe(
      'a1 a2 a3 gap',
    );
  });

  it('has readable records after a block that the disk cannot read', async () => {
    const path = join(folder.path, 'journal');
    await writeFile(path, whole);
    await using file = await open(path);
    const bad = first.length + 50_000;
    const read = file.read.bind(file);
    Object.assign(file, {
      read: async (target: Buffer, offset: number, length: number, position: number) => {
        if (position <= bad && bad < position + length) {
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
        }
        return read(target, offset, length, position);
      },
    });
    const found: string[] = [];
    for await (const item of scanJournal(file)) {
      found.push(item.kind === 'body' ? item.locator : item.kind);
    }
    expect(found.join(' ')).toBe('a1 gap a3');
  });
});

describe('a journal', () => {
  it('ignores a record that a client has put into a body', async () => {
    const forged = Buffer.concat([
      Buffer.alloc(100, 'x'),
      NEW.record('f0', Buffer.from('forged')),
      OLD.record('f1', Buffer.from('forged')),
    ]);
    const other = '00000000000000000000000000000000';
    const mark = (record: Buffer): Buffer =>
      Buffer.from(record.toString('latin1').replaceAll(MARK, other), 'latin1');
    const body = mark(forged);
    const content = Buffer.concat([
      NEW.record('a1', Buffer.from('one')),
      NEW.record('a2', body),
      NEW.record('a3', Buffer.from('three')),
    ]);
    expect(await outline(content)).toBe('a1 a2 a3');
    expect(await outline(flip(content, content.indexOf('xxx')))).toBe('a1 gap a3');
  });

  it('splits a long note into several lines', async () => {
    const committed = Array.from(
      { length: 1000 },
      (_, n) => `${'0'.repeat(28)}${String(1000 + n)}`,
    );
    const content = Buffer.concat([
      NEW.record('a1', Buffer.from('one')),
      encodeNote(MARK, { committed, gone: ['a1'] }),
      NEW.record('a2', Buffer.from('two')),
    ]);
    const items = await scan(content);
    const noted = items.flatMap((item) => (item.kind === 'note' ? item.committed : []));
    expect(noted).toEqual(committed);
    expect(items.flatMap((item) => (item.kind === 'note' ? item.gone : []))).toEqual(['a1']);
    expect(items.filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(encodeNote(MARK, { committed: [], gone: [] })).toHaveLength(0);
  });

  it('keeps the key `settled` for committed bodies on disk', async () => {
    const line = `{"mark":"${MARK}","settled":["a1"],"gone":["b2"],"crc":"b310ecce"}\n`;
    expect(encodeNote(MARK, { committed: ['a1'], gone: ['b2'] }).toString()).toBe(line);
    expect(await scan(Buffer.from(line))).toMatchObject([{ committed: ['a1'], gone: ['b2'] }]);
  });

  it('ignores a body whose locator could be the path of another file', async () => {
    const content = Buffer.concat([
      OLD.record('../a1', Buffer.from('one')),
      OLD.record('a2', Buffer.from('two')),
    ]);
    expect(await outline(content)).toBe('gap a2');
  });
});
