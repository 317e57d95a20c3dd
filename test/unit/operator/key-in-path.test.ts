import { keyInPath, keyOfPath } from '../../../src/operator/key-in-path.ts';

it.each(['.', '..', 'a/../b', '../a', '...', '%2e%2e', '%2F..', 'a//b'])(
  'a path that names the key %s is not folded, and is read as this key',
  (key) => {
    const url = new URL(`http://h/uploads/${encodeURIComponent(keyInPath(key))}`);
    const [, , segment = ''] = url.pathname.split('/');
    expect(keyOfPath(decodeURIComponent(segment))).toBe(key);
  },
);
