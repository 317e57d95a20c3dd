import { findStoreUrlProblem, parseStoreUrl } from '../../../src/config/shared-urls.ts';

describe('the URL of a store', () => {
  it.each([
    ['s3://bucket', { bucket: 'bucket', prefix: '', pathStyle: false }],
    ['s3://my.bucket-1/', { bucket: 'my.bucket-1', prefix: '', pathStyle: false }],
    ['s3://bucket/a/b', { bucket: 'bucket', prefix: 'a/b/', pathStyle: false }],
    [
      's3://bucket/a/?endpoint=https://host:9000&region=eu-1&path-style=on',
      {
        bucket: 'bucket',
        prefix: 'a/',
        endpoint: 'https://host:9000',
        region: 'eu-1',
        pathStyle: true,
      },
    ],
    [
      's3://bucket?endpoint=http%3A%2F%2F127.0.0.1%3A9000&path-style=off',
      { bucket: 'bucket', prefix: '', endpoint: 'http://127.0.0.1:9000', pathStyle: false },
    ],
    [
      's3://bucket?endpoint=http://store.internal&allow-http=on',
      { bucket: 'bucket', prefix: '', endpoint: 'http://store.internal', pathStyle: false },
    ],
  ])('is parsed: %s', (text, address) => {
    expect(findStoreUrlProblem(text)).toBeUndefined();
    expect(parseStoreUrl(text)).toEqual(address);
  });

  it.each([
    ['bucket', 'it must begin with s3://bucket'],
    ['https://bucket', 'it must begin with s3://bucket'],
    ['s3://Bucket_1', 'a bucket has 3 to 63 lower-case letters'],
    ['s3://key:secret@bucket', 'it must not have keys in it'],
    ['s3://bucket/a%20b', 'the prefix may have letters'],
    ['s3://bucket/.a', 'the prefix may have letters'],
    ['s3://bucket?pathstyle=on', 'pathstyle is not one of its parameters: endpoint, region'],
    ['s3://bucket?path-style=yes', 'path-style is on or off'],
    ['s3://bucket?region=a&region=b', 'region is given twice'],
    ['s3://bucket?region=', 'region is empty'],
    ['s3://bucket?endpoint=host', 'endpoint must be an address such as https://host:9000'],
    ['s3://bucket?endpoint=https://host/path', 'endpoint must be a host alone'],
    ['s3://bucket?endpoint=https://key:secret@host', 'endpoint must be a host alone'],
    ['s3://bucket?endpoint=http://host', 'endpoint must use https'],
  ])('is refused: %s', (text, reason) => {
    expect(findStoreUrlProblem(text)).toContain(reason);
    expect(() => parseStoreUrl(text)).toThrow(reason);
  });

  it('is refused with all its problems, with an example, and without its keys', () => {
    const problem = findStoreUrlProblem('s3://key:geheim@B?endpoint=http://host&x=1');
    expect(problem).toMatch(/^expected a URL such as s3:.*keys.*bucket.*x is not.*https/);
    expect(problem).not.toMatch(/geheim/);
  });
});
