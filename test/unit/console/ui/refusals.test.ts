import { splitText } from '../../../../src/console/ui/refusals/difference.ts';
import { nameReason } from '../../../../src/console/ui/refusals/reason-name.ts';
import { refusals as english } from '../../../../src/console/ui/text/en/refusals.ts';
import { refusals as chinese } from '../../../../src/console/ui/text/zh/refusals.ts';
import { REFUSAL_REASONS } from '../../../../src/refusals/refusal-reason.ts';

describe('the names of reasons', () => {
  it.each(REFUSAL_REASONS)('have one for %s in both languages', (reason) => {
    const names = [english, chinese].map(({ reasons }) => nameReason(reason, reasons));
    for (const name of names) expect(name).not.toBe(reason);
    expect(new Set(names).size).toBe(2);
  });

  it.each([english, chinese])('differ from each other', ({ reasons }) => {
    const names = Object.values(reasons);
    expect(new Set(names).size).toBe(names.length);
  });

  it('leave a reason that they do not know as it is', () => {
    expect(nameReason('of_a_newer_gateway', english.reasons)).toBe('of_a_newer_gateway');
  });
});

describe('a text with its first difference', () => {
  it.each([
    ['in the middle', 'abc', 1, ['a', 'b', 'c']],
    ['at the beginning', 'abc', 0, ['', 'a', 'bc']],
    ['behind its end', 'abc', 3, ['abc', '', '']],
    ['at a line break', 'a\nb', 1, ['a', '\n', 'b']],
    ['in the second half of a character', 'a😀b', 2, ['a', '😀', 'b']],
    ['at the first half of a character', 'a😀b', 1, ['a', '😀', 'b']],
  ])('is split %s', (_where, text, index, [before, marked, after]) => {
    expect(splitText(text, index)).toEqual({ before, marked, after });
  });
});
