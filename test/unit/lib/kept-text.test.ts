import { keptText } from '../../../src/lib/kept-text.ts';

it.each([
  ['short', 10, 'short'],
  ['too long', 3, 'too...'],
  ['\u{1f600}', 1, '\ufffd...'],
])('cuts %j to %d characters', (text, limit, kept) => {
  expect(keptText(text, limit)).toBe(kept);
});
