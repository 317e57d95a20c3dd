import { BucketKeyRing } from '../../../src/accounts/bucket-key-ring.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';

const OLD = createBucketKey('old', 'oldsecret');
const NEW = createBucketKey('new', 'newsecret');

it('finds a previous key until its end, and never signs with it', () => {
  const ring = new BucketKeyRing({ current: NEW, previous: [{ key: OLD, until: 1000 }] });
  expect(ring.find('old', 999)).toBe(OLD);
  expect(ring.find('old', 1000)).toBeUndefined();
  expect(ring.find('new', 1000)).toBe(NEW);
  expect(ring.find('other', 0)).toBeUndefined();
  expect(ring.accessKeyId).toBe('new');
  expect(ring.signPostV1('policy')).toBe(NEW.signPostV1('policy'));
});

it('signs with the new key from the moment when the keys are replaced', () => {
  const ring = new BucketKeyRing({ current: OLD, previous: [] });
  expect(ring.signRequestV1('text')).toBe(OLD.signRequestV1('text'));
  ring.replace({ current: NEW, previous: [{ key: OLD }] });
  expect(ring.signRequestV1('text')).toBe(NEW.signRequestV1('text'));
  expect(ring.find('old', Number.MAX_SAFE_INTEGER)).toBe(OLD);
});
