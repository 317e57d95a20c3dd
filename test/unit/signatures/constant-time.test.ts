import fc from 'fast-check';
import { equalInConstantTime } from '../../../src/signatures/constant-time.ts';

describe('equalInConstantTime', () => {
  it.each([
    ['', '', true],
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['abc', 'ABC', false],
    ['\ud800', '\ud801', false],
    ['\ud800', '\ufffd', false],
    ['é', 'e\u0301', false],
  ])('compares %j with %j: %s', (a, b, equal) => {
    expect(equalInConstantTime(a, b)).toBe(equal);
  });

  it('agrees with ===', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(equalInConstantTime(a, b)).toBe(a === b);
        expect(equalInConstantTime(a, a)).toBe(true);
      }),
    );
  });
});
