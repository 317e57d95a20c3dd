import { keepUnchanged } from '../../../../src/console/ui/lib/unchanged.ts';

describe('items of a list that is read again', () => {
  it('stay the same objects when nothing of them has changed', () => {
    const before = [
      { key: 'a', state: 'stored' },
      { key: 'b', state: 'stored' },
    ];
    const now = keepUnchanged(before, [
      { key: 'new', state: 'issued' },
      { key: 'a', state: 'claimed' },
      { key: 'b', state: 'stored' },
    ]);
    expect(now[1]).toEqual({ key: 'a', state: 'claimed' });
    expect(now[1]).not.toBe(before[0]);
    expect(now[2]).toBe(before[1]);
  });
});
