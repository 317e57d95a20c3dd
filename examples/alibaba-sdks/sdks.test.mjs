// The other SDKs of Alibaba Cloud for Node, as they are, against a gateway that listens.
import { RPCClient } from '@alicloud/pop-core';
import OSS from 'ali-oss';
import { startTestGateway } from 'ota-upload-gateway/testing';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

let gateway;
let url;

beforeAll(async () => {
  gateway = await startTestGateway();
  ({ url } = await gateway.listen());
});
afterEach(() => gateway.reset());
afterAll(() => gateway.close());

it('pop-core calls every operation by its name', async () => {
  const client = new RPCClient({
    endpoint: url,
    apiVersion: '2018-01-20',
    accessKeyId: gateway.accessKey.id,
    accessKeySecret: gateway.accessKey.secret,
  });
  const { Data } = await client.request('GenerateOTAUploadURL', { FileSuffix: 'bin' });
  expect(Data).toMatchObject({ ObjectStorage: 'OSS', Host: url });
  const listed = await client.request('ListOTAFirmware', { CurrentPage: 1, PageSize: 10 });
  expect(listed).toMatchObject({ Success: true, Total: 0 });
});

it('ali-oss reads what a form has stored, with the key of the bucket', async () => {
  const { key } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
  const client = new OSS({
    // ali-oss signs URLs only for host names.
    endpoint: url.replace('127.0.0.1', 'localhost'),
    cname: true,
    region: 'oss-cn-shanghai',
    bucket: gateway.config.bucket,
    accessKeyId: gateway.bucketKey.id,
    accessKeySecret: gateway.bucketKey.secret,
  });
  expect(String((await client.get(key)).content)).toBe('firmware');
  const download = await fetch(client.signatureUrl(key));
  expect(await download.text()).toBe('firmware');
});
