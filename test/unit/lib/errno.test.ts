import { isDiskFull } from '../../../src/lib/errno.ts';

it.each(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', '53100'])(
  'takes the code %s for a full disk',
  (code) => {
    expect(isDiskFull(Object.assign(new Error('x'), { code }))).toBe(true);
  },
);

it.each([undefined, null, 'ENOSPC', new Error('ENOSPC'), { code: 'EACCES' }, { code: '23505' }])(
  'does not take %p for a full disk',
  (error) => {
    expect(isDiskFull(error)).toBe(false);
  },
);
