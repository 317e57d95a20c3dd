import request from 'supertest';
import { startTestGateway } from '../../src/testing/index.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { signUrlV1, signUrlV4 } from '../support/signed-url.ts';

// SDKs in path style with the wrong name of the bucket got SignatureDoesNotMatch, as if their key was wrong.

const NOW = Date.UTC(2024, 0, 2, 3, 4, 5);

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  gateway.clock.set(NOW);
});
afterAll(() => gateway.close());

interface Signing {
  readonly method: string;
  readonly bucket: string;
  readonly secret: string;
}

function query(version: string, { bucket, method, secret }: Signing): string {
  const common = { accessKeyId: gateway.bucketKey.id, secret, bucket, key: 'dir a/k', method };
  const pairs =
    version === 'V1'
      ? signUrlV1({ ...common, expires: NOW / 1000 + 60 })
      : signUrlV4({ ...common, region: 'cn-shanghai', date: '20240102T030405Z', expires: 60 });
  return new URLSearchParams(pairs).toString();
}

function send(method: string, target: string): request.Test {
  const agent = request(gateway.app);
  if (method === 'PUT') return agent.put(target);
  return method === 'GET' ? agent.get(target) : agent.delete(target);
}

describe.each(['V1', 'V4'])('a URL signed with %s for another bucket in its path', (version) => {
  it.each(['GET', 'PUT', 'DELETE'])('gets NoSuchBucket by %s', async (method) => {
    const signed = query(version, { method, bucket: 'other', secret: gateway.bucketKey.secret });
    const response = await send(method, `/other/dir%20a/k?${signed}`);
    expect(response.status).toBe(404);
    expect(response.text).toContain('<Code>NoSuchBucket</Code>');
    expect(response.text).toContain('<BucketName>other</BucketName>');
    expect(await gateway.uploads.list()).toEqual([]);
  });

  it.each([
    ['with another secret', { bucket: 'other', secret: 'x' }, '/other/dir%20a/k'],
    ['for a bucket that is not in the path', { bucket: 'third' }, '/other/dir%20a/k'],
    ['for another key', { bucket: 'other' }, '/other/dir%20a/l'],
    ['for the key without a bucket', { bucket: 'other' }, '/dir%20a/k'],
  ])('gets SignatureDoesNotMatch %s', async (_what, difference, path) => {
    const { secret } = gateway.bucketKey;
    const signed = query(version, { method: 'GET', secret, ...difference });
    const response = await send('GET', `${path}?${signed}`);
    expect(response.status).toBe(403);
    expect(response.text).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});
