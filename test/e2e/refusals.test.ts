import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { callApi } from '../../src/client/api-client.ts';
import type { UploadGrant } from '../../src/client/api-client.ts';
import {
  BUCKET_KEY,
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
} from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { sendRaw } from '../support/form-dialects.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';
import { gatewayForSuite } from '../support/suite.ts';

const BYTES = patternBytes(100_000);

function sign(policy: string): string {
  return createHmac('sha1', BUCKET_KEY.secret).update(policy).digest('base64');
}

/** Changes the policy of a grant, and signs it correctly. */
function withPolicy(grant: UploadGrant, change: (text: string) => string): Record<string, string> {
  const text = change(Buffer.from(grant.policy, 'base64').toString());
  const policy = Buffer.from(text).toString('base64');
  return { policy, signature: sign(policy) };
}

describe('refusals of the built program', () => {
  const gateway = gatewayForSuite((folder) =>
    startBuiltGateway(join(folder, 'data'), { OTA_GATEWAY_MAX_UPLOAD: '200KB' }),
  );
  let grant: UploadGrant;

  beforeEach(async () => {
    grant = await grantFrom(gateway.url);
  });

  afterEach(async () => {
    // A refused request leaves no file, and the service continues.
    expect(await bodiesOnDisk(gateway.dataDir)).toEqual({ objects: [], staging: [] });
    expect((await fetch(`${gateway.url}/_gateway/health/ready`)).status).toBe(200);
  });

  afterAll(() => {
    expect(gateway.output()).not.toContain(BUCKET_KEY.secret);
  });

  const cases: [string, (given: UploadGrant) => Record<string, string>, number, string, string][] =
    [
      [
        'a signature made with a wrong secret',
        ({ policy }) => ({
          signature: createHmac('sha1', 'wrong').update(policy).digest('base64'),
        }),
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      ],
      [
        'an altered policy',
        (given) => ({
          policy: withPolicy(given, (text) => text.replace('200000', '999999'))['policy'] ?? '',
        }),
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      ],
      [
        'an expired form',
        (given) =>
          withPolicy(given, (text) => text.replace(/"expiration":"\d{4}/, '"expiration":"2020')),
        403,
        'AccessDenied',
        'Invalid according to Policy: Policy expired.',
      ],
      [
        'another key than the one that was granted',
        () => ({ key: 'ota/else.bin' }),
        403,
        'AccessDenied',
        'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "KEY"]',
      ],
      [
        'an unknown access key',
        () => ({ OSSAccessKeyId: 'nobody' }),
        403,
        'InvalidAccessKeyId',
        'The OSS Access Key Id you provided does not exist in our records.',
      ],
    ];

  it.each(cases)('refuses %s', async (_case, change, status, code, message) => {
    const answer = await post(grant, BYTES, change(grant));
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/xml');
    const { Error: error } = new XMLParser().parse(answer.body) as {
      Error: Record<string, unknown>;
    };
    expect(error).toMatchObject({
      Code: code,
      Message: message.replace('KEY', grant.key),
      RequestId: answer.headers['x-oss-request-id'],
      HostId: new URL(gateway.url).host,
    });
  });

  it('refuses a file that is too large, with and without an announced length', async () => {
    const answer = await post(grant, patternBytes(400_000));
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.body).toContain('<Code>EntityTooLarge</Code>');
    const form = new FormData();
    form.set('key', grant.key);
    form.set('policy', grant.policy);
    form.set('OSSAccessKeyId', grant.accessKeyId);
    form.set('Signature', grant.signature);
    form.set('file', new Blob([patternBytes(220_000)]));
    const response = await fetch(grant.host, { method: 'POST', body: form });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>EntityTooLarge</Code>');
  });

  const formHead = (): string =>
    Object.entries({
      key: grant.key,
      policy: grant.policy,
      OSSAccessKeyId: grant.accessKeyId,
      Signature: grant.signature,
    })
      .map(
        ([name, value]) =>
          `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join('') + '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n';

  const requestHead = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: ${new URL(gateway.url).host}\r\nConnection: close\r\n` +
    `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${String(length)}\r\n\r\n`;

  it('refuses a body that ends without its closing boundary', async () => {
    const body = Buffer.concat([Buffer.from(formHead()), BYTES]);
    const answer = await sendRaw(gateway.url, requestHead(body.length), body);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('<Code>MalformedPOSTRequest</Code>');
  });

  it('removes a body whose client disconnects in the middle', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(requestHead(10_000_000 / 100));
    socket.write(formHead());
    socket.write(BYTES.subarray(0, 50_000));
    await eventually(async () => {
      const { staging } = await bodiesOnDisk(gateway.dataDir);
      return staging.length === 0;
    });
    socket.destroy();
    await once(socket, 'close');
  });

  it('refuses API calls with a wrong secret', async () => {
    const api = apiOf(gateway.url, { id: 'testid', secret: 'wrong' });
    await expect(callApi(api, 'GenerateOTAUploadURL')).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
      status: 400,
    });
  });

  it('refuses to claim a file that was never uploaded', async () => {
    await expect(claim(gateway.url, grant, 'nothing')).rejects.toMatchObject({
      code: 'iot.firmware.InvalidFirmwareUrl',
    });
  });
});
