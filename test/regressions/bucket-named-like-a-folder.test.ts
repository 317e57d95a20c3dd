import { Readable } from 'node:stream';
import { startTestGateway } from '../../src/testing/index.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { aliOss } from '../support/ali-oss.ts';
import type { AliOss } from '../support/ali-oss.ts';

// The bucket's name was cut off from every path that began with it, also when it was a folder of the key.

describe.each(['ota', 'uploads', 'iotx-ota'])('a gateway with the bucket %s', (bucket) => {
  let gateway: TestGateway;

  beforeEach(async () => {
    gateway = await startTestGateway({ bucket, publicRead: true });
  });
  afterEach(() => gateway.close());

  const read = async (path: string): Promise<[number, string]> => {
    const response = await gateway.fetch(`${gateway.url}/${path}`);
    return [response.status, response.status === 200 ? await response.text() : ''];
  };
  const deposit = (key: string, text = key): Promise<unknown> =>
    gateway.uploads.deposit({ key, bytes: Readable.from([Buffer.from(text)]) });

  it('serves the whole loop', async () => {
    const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
    expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 200 });
    const { firmwareUrl } = grant;
    await gateway.api.createOTAFirmware({ firmwareName: 'demo', destVersion: '1', firmwareUrl });
    expect(await (await gateway.fetch(firmwareUrl)).text()).toBe('firmware');
    const { firmwareId } = await gateway.seed({ state: 'claimed', bytes: 'second' });
    const firmware = await gateway.api.queryOTAFirmware({ firmwareId: firmwareId ?? '' });
    const download = await gateway.fetch(firmware.firmwareUrl ?? '');
    expect(await download.text()).toBe('second');
  });

  it('claims a file in a folder with the name of the bucket, by a URL with or without the bucket', async () => {
    for (const [version, path] of [`${bucket}/x.bin`, `${bucket}/${bucket}/y.bin`].entries()) {
      const key = version === 0 ? path : path.slice(bucket.length + 1);
      await deposit(key);
      const claimed = await gateway.api.createOTAFirmware({
        firmwareName: `demo-${String(version)}`,
        destVersion: String(version),
        firmwareUrl: `${gateway.url}/${path}`,
      });
      expect(claimed.firmwareId).toBeDefined();
      expect((await gateway.uploads.find(key))?.state).toBe('claimed');
    }
  });

  it('reads the whole path first, and the rest of it only when nothing has that key', async () => {
    await deposit('x.bin');
    await deposit(`${bucket}/${bucket}/z.bin`);
    expect(await read(`${bucket}/x.bin`)).toEqual([200, 'x.bin']);
    await deposit(`${bucket}/x.bin`);
    expect(await read(`${bucket}/x.bin`)).toEqual([200, `${bucket}/x.bin`]);
    expect(await read(`${bucket}/${bucket}/x.bin`)).toEqual([200, `${bucket}/x.bin`]);
    expect(await read('x.bin')).toEqual([200, 'x.bin']);
    expect(await read(`${bucket}/z.bin`)).toEqual([404, '']);
    expect(await read(`${bucket}/${bucket}/z.bin`)).toEqual([200, `${bucket}/${bucket}/z.bin`]);
  });

  it('reads an object that has the name of the bucket', async () => {
    expect(await read(bucket)).toEqual([405, '']);
    await deposit(bucket, 'same name');
    expect(await read(bucket)).toEqual([200, 'same name']);
    expect(await read(`${bucket}/${bucket}`)).toEqual([200, 'same name']);
    await deposit(`${bucket}/`, 'folder');
    expect(await read(`${bucket}/`)).toEqual([200, 'folder']);
    const { url } = await gateway.listen();
    const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
    for (const path of [bucket, `${bucket}/`]) {
      const posted = await gateway.postObjectTo(`${url}/${path}`, grant, 'firmware');
      expect(posted).toMatchObject({ status: 200 });
    }
  });

  it.each([false, true])(
    'follows the signature of a path-style client, with version 4: %s',
    async (authorizationV4) => {
      const { url } = await gateway.listen();
      const client: AliOss = aliOss({
        endpoint: url,
        region: `oss-${gateway.config.region}`,
        bucket,
        accessKeyId: gateway.bucketKey.id,
        accessKeySecret: gateway.bucketKey.secret,
        authorizationV4,
      });
      await deposit(`${bucket}/a.bin`, 'whole');
      await client.put('a.bin', Buffer.from('path style'));
      expect(String((await client.get('a.bin')).content)).toBe('path style');
      expect(String((await client.get(`${bucket}/a.bin`)).content)).toBe('whole');
      await client.delete('a.bin');
      await expect(client.get('a.bin')).rejects.toMatchObject({ code: 'NoSuchKey' });
      expect(await read(`${bucket}/a.bin`)).toEqual([200, 'whole']);
    },
  );
});

it('takes the public host for its own, not for that of the bucket, when it begins with its name', async () => {
  const publicUrl = 'http://ota.lan:9070';
  await using gateway = await startTestGateway({ bucket: 'ota', publicUrl, publicRead: true });
  const text = async (url: string): Promise<string> => (await gateway.fetch(url)).text();
  await gateway.uploads.deposit({ key: 'x.bin', bytes: Readable.from([Buffer.from('firmware')]) });
  for (const path of ['x.bin', 'ota/x.bin'])
    expect(await text(`${publicUrl}/${path}`)).toBe('firmware');
  expect(await text('http://ota.ota.lan:9070/x.bin')).toBe('firmware');
  const claimed = await gateway.api.createOTAFirmware({
    firmwareName: 'demo',
    destVersion: '1',
    firmwareUrl: `${publicUrl}/ota/x.bin`,
  });
  expect(claimed.firmwareId).toBeDefined();
});

it.each(['http://h/p?q', 'http://h/#f'])('refuses the public URL %s', async (publicUrl) => {
  await expect(startTestGateway({ publicUrl })).rejects.toThrow(
    'publicUrl: expected a URL without a query and a fragment',
  );
});
