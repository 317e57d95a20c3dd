import type { CorsRule } from '../../../../src/oss/cors.ts';
import { validForm } from './form.ts';
import { startOss } from './start.ts';
import type { OssResponse, Oss } from './start.ts';

const rule = (change: Partial<CorsRule>) => ({
  allowedOrigins: [...(change.allowedOrigins ?? [])],
  allowedMethods: ['POST' as const],
  allowedHeaders: [...(change.allowedHeaders ?? [])],
  exposeHeaders: [...(change.exposeHeaders ?? [])],
  ...(change.maxAgeSeconds !== undefined && { maxAgeSeconds: change.maxAgeSeconds }),
});

const NOT_ALLOWED =
  'CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / ' +
  "Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the resource's CORS spec.";

describe('CORS', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss({
      corsRules: [
        rule({
          allowedOrigins: ['https://app.test'],
          allowedHeaders: ['x-a', 'X-OSS-*'],
          exposeHeaders: ['ETag', 'x-oss-request-id'],
          maxAgeSeconds: 60,
        }),
        rule({ allowedOrigins: ['https://*.aliyun.com'] }),
        rule({ allowedOrigins: ['*'], allowedHeaders: ['x-open'] }),
      ],
    });
  });

  afterAll(() => oss.close());

  const preflight = (
    origin?: string,
    headers?: string,
    method = 'POST',
    path = '/',
  ): Promise<OssResponse> =>
    oss.send({
      method: 'OPTIONS',
      path,
      headers: {
        ...(origin !== undefined && { Origin: origin }),
        ...(method !== '' && { 'Access-Control-Request-Method': method }),
        ...(headers !== undefined && { 'Access-Control-Request-Headers': headers }),
      },
    });

  it.each([
    ['/', 'an upload'],
    ['/iotx-ota', 'an upload by path style'],
    ['/some/key', 'an object'],
  ])('allows a preflight of %s (%s) with the headers of the first matching rule', async (path) => {
    const response = await preflight('https://app.test', 'X-A, x-oss-meta-b', 'POST', path);
    expect(response).toMatchObject({ status: 200, body: '' });
    expect(response.headers).toMatchObject({
      'content-length': '0',
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'x-a, x-oss-meta-b',
      'access-control-expose-headers': 'ETag, x-oss-request-id',
      'access-control-max-age': '60',
      vary: 'Origin',
      server: 'AliyunOSS',
    });
  });

  it.each([
    ['an origin with a star', 'https://a.aliyun.com', undefined, 'https://a.aliyun.com'],
    ['any origin', 'https://else.test', undefined, '*'],
    ['an origin whose first rule lacks the header', 'https://app.test', 'x-open', '*'],
  ])('allows a preflight of %s', async (_, origin, headers, allowed) => {
    const response = await preflight(origin, headers);
    expect(response.status).toBe(200);
    expect(response.headers['access-control-allow-origin']).toBe(allowed);
    expect(response.headers.vary).toBe(allowed === '*' ? undefined : 'Origin');
    expect(response.headers).not.toHaveProperty('access-control-max-age');
  });

  it.each([
    ['another method', 'https://app.test', undefined, 'PUT'],
    ['another header', 'https://app.test', 'x-other', 'POST'],
    ['two headers of which one is another', 'https://app.test', 'x-a, x-open', 'POST'],
  ])('refuses a preflight for %s', async (_, origin, headers, method) => {
    const response = await preflight(origin, headers, method);
    expect(response.status).toBe(403);
    expect(response.xml['Code']).toBe('AccessForbidden');
    expect(response.xml['Message']?.replaceAll('&apos;', "'")).toBe(NOT_ALLOWED);
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each([
    ['Origin', undefined, 'POST', 'Insufficient information. Origin request header needed.'],
    [
      'Access-Control-Request-Method',
      'https://app.test',
      '',
      'Insufficient information. Request Access-Control-Request-Method header needed.',
    ],
  ])('refuses a preflight without %s', async (_, origin, method, message) => {
    const response = await preflight(origin, undefined, method);
    expect(response.status).toBe(400);
    expect(response.xml).toMatchObject({ Code: 'BadRequest', Message: message });
  });

  it('lets a script read the response to its upload, and an error', async () => {
    for (const signature of [undefined, 'wrong']) {
      const form = validForm();
      form.requestHeaders['Origin'] = 'https://app.test';
      if (signature !== undefined) form.fields.set('Signature', signature);
      const { status, headers } = await oss.post(form);
      expect(status).toBe(signature === undefined ? 204 : 403);
      expect(headers).toMatchObject({
        'access-control-allow-origin': 'https://app.test',
        'access-control-expose-headers': 'ETag, x-oss-request-id',
      });
    }
  });

  it('adds no headers without a matching rule, and without an origin', async () => {
    const silent = await startOss();
    const form = validForm();
    form.requestHeaders['Origin'] = 'https://app.test';
    const responses = [
      await silent.post(form),
      await silent.post(validForm()),
      await oss.post(validForm()),
    ];
    for (const { status, headers } of responses) {
      expect(status).toBe(204);
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
    expect(
      (
        await silent.send({
          method: 'OPTIONS',
          headers: { Origin: 'https://app.test', 'Access-Control-Request-Method': 'POST' },
        })
      ).xml['Code'],
    ).toBe('AccessForbidden');
    await silent.close();
  });
});

describe('a request to OSS', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss();
  });

  afterAll(() => oss.close());

  it.each([
    ['GET', '/', 'Bucket', 'POST, OPTIONS'],
    ['HEAD', '/', 'Bucket', 'POST, OPTIONS'],
    ['PUT', '/iotx-ota/', 'Bucket', 'POST, OPTIONS'],
    ['DELETE', '/', 'Bucket', 'POST, OPTIONS'],
    ['POST', '/key', 'Object', 'GET, HEAD, PUT, DELETE, OPTIONS'],
    ['PATCH', '/key', 'Object', 'GET, HEAD, PUT, DELETE, OPTIONS'],
  ])('is refused with MethodNotAllowed: %s %s', async (method, path, type, allow) => {
    const response = await oss.send({ method, path });
    expect(response).toMatchObject({ status: 405, headers: { allow } });
    if (method === 'HEAD') {
      expect(response.body).toBe('');
      expect(Number(response.headers['content-length'])).toBeGreaterThan(100);
    } else {
      expect(response.xml).toMatchObject({
        Code: 'MethodNotAllowed',
        Message: 'The specified method is not allowed against this resource.',
        Method: method,
        ResourceType: type,
      });
    }
  });

  it.each([
    [
      'another bucket',
      '/key',
      'other.oss-cn-shanghai.aliyuncs.com',
      404,
      { Code: 'NoSuchBucket', BucketName: 'other' },
    ],
    ['an invalid key', '/%ff', undefined, 400, { Code: 'InvalidObjectName' }],
    [
      "a key of the gateway's own",
      '/iotx-ota/_gateway/x',
      undefined,
      400,
      { Code: 'InvalidObjectName' },
    ],
  ])('is refused for %s', async (_, path, host, status, xml) => {
    const response = await oss.send({
      path,
      ...(host !== undefined && { headers: { Host: host } }),
    });
    expect(response.status).toBe(status);
    expect(response.xml).toMatchObject({ ...xml, HostId: host ?? `127.0.0.1:${String(oss.port)}` });
    expect(response.headers).toMatchObject({
      server: 'AliyunOSS',
      'content-type': 'application/xml',
      'x-oss-server-time': '0',
      'x-oss-request-id': response.xml['RequestId'],
    });
  });
});
