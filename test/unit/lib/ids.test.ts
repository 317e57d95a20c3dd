import { randomIds, sequentialIds } from '../../../src/lib/ids.ts';

const TIMES = [
  -Date.UTC(2024, 0),
  -1,
  0,
  1,
  Date.UTC(2001, 8, 9),
  Date.UTC(2024, 0),
  Date.UTC(2024, 0) + 1,
  Date.UTC(2059, 4, 25),
  Date.UTC(2059, 4, 26),
  Date.UTC(2060, 0),
  Date.UTC(9000, 0),
];

describe.each([
  ['random', randomIds],
  ['sequential', sequentialIds()],
])('%s object names', (_kind, ids) => {
  const prefixes = TIMES.map((time) => ids.objectName(time).slice(0, 9));

  it.each(TIMES)('have the shape of a cuid at the time %d', (time) => {
    expect(ids.objectName(time)).toMatch(/^c[0-9a-z]{24}$/);
  });

  it('sort by the time at which they were generated', () => {
    expect(prefixes).toEqual([...prefixes].sort());
  });

  it('differ from one millisecond to the next until 2059', () => {
    expect(prefixes[5]).not.toBe(prefixes[6]);
  });
});
