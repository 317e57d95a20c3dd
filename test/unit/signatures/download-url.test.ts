import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { downloadUrl } from '../../../src/signatures/download-url.ts';

const KEY = createBucketKey('ak', 'sk');

it.each([
  // Computed with openssl: HMAC-SHA1 of "GET\n\n\n1699807420\n/bucket/<key>".
  ['ota/0123/a.bin', 'ota/0123/a.bin', 'IVBUckF1TM2KAzUZyzFi7fdKyMs%3D'],
  [
    "dir a/固件+%2B'(1)~.bin",
    'dir%20a/%E5%9B%BA%E4%BB%B6%2B%252B%27%281%29~.bin',
    '%2B2fOt5GqbWbO7ARM1r%2BlTvKRPtU%3D',
  ],
])('downloadUrl signs %s and escapes it once', (key, path, signature) => {
  const url = downloadUrl(KEY, { host: 'http://h:1', bucket: 'bucket', key }, 1_699_807_420_999);
  expect(url).toBe(
    `http://h:1/${path}?Expires=1699807420&OSSAccessKeyId=ak&Signature=${signature}`,
  );
});

it.each(['a/../b', './a', 'a/..'])('downloadUrl names %s so that a client folds nothing', (key) => {
  const url = new URL(
    downloadUrl(KEY, { host: 'http://h:1', bucket: 'bucket', key }, 1_699_807_420_999),
  );
  expect(decodeURIComponent(url.pathname)).toBe(`/${key}`);
});
