import fc from 'fast-check';
import { cutText, xmlElement } from '../../../src/http/xml.ts';

const written = (text: string): string => xmlElement('a', text).slice(3, -4);
/** Room for the mark. */
const MARK = 50;

describe('cutText', () => {
  it('does not change a text that is short enough, to the last byte', () => {
    expect(cutText('&'.repeat(10), 50)).toBe('&'.repeat(10));
    expect(cutText('\u{4e2d}'.repeat(10), 30)).toBe('\u{4e2d}'.repeat(10));
    expect(cutText('"'.repeat(10), 22, JSON.stringify)).toBe('"'.repeat(10));
  });

  it('marks a text that it cuts', () => {
    expect(cutText('a'.repeat(11), 10)).toBe(`${'a'.repeat(10)}... [cut, 11 characters in all]`);
    expect(cutText('&'.repeat(11), 50)).toBe(`${'&'.repeat(10)}... [cut, 11 characters in all]`);
  });

  it.each([
    ['XML', written, undefined],
    ['JSON', JSON.stringify, JSON.stringify],
  ] as const)('keeps to its limit in %s, whatever the text is', (_, write, how) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.string({ unit: fc.constantFrom('a', "'", '\r', '\0', '\u{4e2d}', '\u{1f600}') }),
        ),
        fc.integer({ min: 10, max: 500 }),
        (text, bytes) => {
          const cut = cutText(text, bytes, how);
          expect(Buffer.byteLength(write(cut))).toBeLessThanOrEqual(bytes + MARK);
          if (Buffer.byteLength(write(text)) <= bytes) expect(cut).toBe(text);
          else expect(cut).toMatch(/\.\.\. \[cut, [0-9]+ characters in all\]$/);
        },
      ),
    );
  });

  it('never writes more characters of a text than its limit', () => {
    const write = jest.fn((text: string) => text);
    cutText('a'.repeat(1_000_000), 1000, write);
    expect(write.mock.calls.map(([text]) => text.length)).toEqual([1000]);
  });
});
