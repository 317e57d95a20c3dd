import fc from 'fast-check';
import { matchesGlob } from '../../../src/faults/glob.ts';

describe('a pattern', () => {
  it.each([
    ['*.zip', 'ota/a.zip', true],
    ['*.zip', 'ota/a.zip.bin', false],
    ['ota/*', 'ota/', true],
    ['ota/*', 'o', false],
    ['*', '', true],
    ['**', 'a', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'abb', true],
    ['*b*c*', 'acb', false],
    ['a.c', 'abc', false],
    ['a*', 'a\nb', true],
    ['', '', true],
  ])('%j matches %j: %p', (pattern, text, fits) => {
    expect(matchesGlob(pattern, text)).toBe(fits);
  });

  it('matches what an equivalent regular expression matches', () => {
    const text = (letters: readonly string[]): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...letters), { maxLength: 10 }).map((each) => each.join(''));
    fc.assert(
      fc.property(text(['a', 'b', '*']), text(['a', 'b']), (pattern, subject) => {
        const expression = new RegExp(`^${pattern.replace(/\*+/g, '[^]*')}$`);
        expect(matchesGlob(pattern, subject)).toBe(expression.test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  it('with many stars is compared with a long text in one pass', () => {
    const text = 'a'.repeat(100_000);
    expect(matchesGlob(`${'*a'.repeat(10_000)}*b`, text)).toBe(false);
    expect(matchesGlob('*a'.repeat(10_000), text)).toBe(true);
  });
});
