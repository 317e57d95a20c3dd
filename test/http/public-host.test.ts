import { XMLParser } from 'fast-xml-parser';
import request from 'supertest';
import type { Response } from 'supertest';
import type { TestGateway } from '../../src/testing/index.ts';
import { formatDateV4 } from '../../src/signatures/credential-v4.ts';
import { signUrlV4 } from '../support/signed-url.ts';
import { HOST, signV3 } from './iot/api.ts';
import { startTestGateway } from '../support/gateways.ts';

/** Sends a call that was signed for one host, with the Host header that a proxy has put in its place. */
async function callThroughProxy(
  gateway: TestGateway,
  signedHost: string,
  receivedHost: string,
): Promise<Response> {
  const { accessKey: key, clock } = gateway;
  const signed = signV3(
    'GenerateOTAUploadURL',
    {},
    { key, time: clock.now(), headers: { host: signedHost } },
  );
  return request(gateway.app).post('/').set(signed.headers).set('host', receivedHost);
}

async function codeOf(publicUrl: string | undefined, signed: string, received: string) {
  await using gateway = await startTestGateway(publicUrl === undefined ? {} : { publicUrl });
  const { body } = await callThroughProxy(gateway, signed, received);
  return body.Success === true ? 'accepted' : body.Code;
}

describe('a V3 call through a proxy that replaces the Host header', () => {
  it.each([
    ['https://ota.example', 'ota.example'],
    ['https://ota.example', 'ota.example:443'],
    ['http://ota.example', 'ota.example:80'],
    ['https://ota.example:8443', 'ota.example:8443'],
    ['https://OTA.example', 'ota.example'],
    ['https://OTA.example', 'OTA.example'],
    ['http://[::1]:8080', '[::1]:8080'],
    // What @alicloud/openapi-core signs for an endpoint with a path.
    ['https://ota.example/gw', 'ota.example/gw'],
    ['https://ota.example/gw', 'ota.example'],
    // A proxy that keeps the header.
    ['https://ota.example', HOST],
  ])('is accepted with the public URL %s when %s was signed', async (publicUrl, signed) => {
    expect(await codeOf(publicUrl, signed, HOST)).toBe('accepted');
  });

  it('is accepted when the proxy removes the default port', async () => {
    expect(await codeOf('https://ota.example', 'ota.example:443', 'ota.example')).toBe('accepted');
  });

  it.each([
    [undefined, 'ota.example'],
    ['https://ota.example', 'other.example'],
    ['https://ota.example', 'ota.example:80'],
    ['https://ota.example:8443', 'ota.example'],
    ['https://ota.example', 'iotx-ota.ota.example'],
  ])('is refused with the public URL %s when %s was signed', async (publicUrl, signed) => {
    expect(await codeOf(publicUrl, signed, HOST)).toBe('SignatureDoesNotMatch');
  });
});

describe('the refusal of a V3 call with a wrong signature', () => {
  const MESSAGE =
    /^Specified signature is not matched with our calculation\. (.*)server string to sign is:ACS3-HMAC-SHA256\n[0-9a-f]{64}$/;

  async function hintOf(
    publicUrl: string | undefined,
    received: string,
  ): Promise<string | undefined> {
    await using gateway = await startTestGateway(publicUrl === undefined ? {} : { publicUrl });
    const { body } = await callThroughProxy(gateway, 'other.example', received);
    expect(body.HostId).toBe(received);
    return MESSAGE.exec(body.Message)?.[1];
  }

  it('names the received and the public host when they differ', async () => {
    expect(await hintOf('https://ota.example', HOST)).toBe(
      `The header host was received as ${HOST}, and ota.example of the public URL was tried, too. `,
    );
  });

  it.each([
    ['no public URL is set', undefined, HOST],
    ['the public host was received', 'https://ota.example', 'ota.example'],
  ])('stays that of the platform when %s', async (_, publicUrl, received) => {
    expect(await hintOf(publicUrl, received)).toBe('');
  });

  it('does not repeat a host of any length', async () => {
    expect(await hintOf('https://ota.example', 'a'.repeat(1000))).toContain(
      `${'a'.repeat(128)}...`,
    );
  });
});

it('does not accept the public host for a body that was changed', async () => {
  await using gateway = await startTestGateway({ publicUrl: 'https://ota.example' });
  const { accessKey: key, clock } = gateway;
  const headers = { host: 'ota.example' };
  const signed = signV3(
    'GenerateOTAUploadURL',
    {},
    { key, time: clock.now(), body: 'FileSuffix=bin', headers },
  );
  const response = await request(gateway.app)
    .post('/')
    .set(signed.headers)
    .set('host', HOST)
    .send('FileSuffix=zip');
  expect(response.body.Code).toBe('SignatureDoesNotMatch');
  expect(response.body.Message).toContain('The SHA-256 of the body is');
});

it('finds the bucket when the public URL is an OSS endpoint of another name', async () => {
  const publicUrl = 'https://firmware.oss-cn-shanghai.aliyuncs.com';
  await using gateway = await startTestGateway({ publicUrl, publicRead: true });
  const { key } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
  const statusAt = async (name: string): Promise<number> => {
    const host = `${name}.oss-cn-shanghai.aliyuncs.com`;
    return (await request(gateway.app).get(`/${key}`).set('host', host)).status;
  };
  expect(await statusAt('firmware')).toBe(200);
  expect(await statusAt('other')).toBe(404);
});

describe('a URL of signature version 4 that covers the host, through a proxy that replaces it', () => {
  async function download(publicUrl: string, signedHost: string): Promise<Response> {
    await using gateway = await startTestGateway({ publicUrl });
    const { key } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
    const { bucketKey, clock, config } = gateway;
    const query = signUrlV4({
      ...{ accessKeyId: bucketKey.id, secret: bucketKey.secret, region: config.region },
      ...{ bucket: config.bucket, key, method: 'GET', expires: 60 },
      date: formatDateV4(clock.now()),
      headers: new Map([['host', signedHost]]),
      additionalHeaders: ['host'],
    });
    const path = `/${key}?${new URLSearchParams(query).toString()}`;
    return await request(gateway.app).get(path).set('host', HOST);
  }

  it.each([
    ['https://ota.example', 'ota.example'],
    ['https://ota.example', 'iotx-ota.ota.example'],
    ['https://ota.example', 'ota.example:443'],
    ['http://ota.example:8080', 'iotx-ota.ota.example:8080'],
    ['https://ota.example', HOST],
  ])('is accepted with the public URL %s when %s was signed', async (publicUrl, signed) => {
    const response = await download(publicUrl, signed);
    expect([response.status, response.body.toString()]).toEqual([200, 'firmware']);
  });

  it('is refused for another host, and the refusal names both hosts', async () => {
    const { status, text } = await download('https://ota.example', 'other.example');
    const { Error: error } = new XMLParser().parse(text);
    expect(status).toBe(403);
    expect(error).toMatchObject({
      Code: 'SignatureDoesNotMatch',
      HostId: HOST,
      Host: HOST,
      PublicHost: 'ota.example',
    });
  });
});
