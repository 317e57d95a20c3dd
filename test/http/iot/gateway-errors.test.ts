import type { Response } from 'supertest';
import request from 'supertest';
import type { Account } from '../../../src/accounts/accounts.ts';
import { startTestGateway } from '../../../src/testing/index.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { HOST, callDate, getV1, postV3, signV1, signV3, stringToSignV1 } from './api.ts';
import type { Key, Overrides, V3Options } from './api.ts';

const KEY = { id: 'testid', secret: 'testsecret' };
const DISABLED = { id: 'disabled', secret: 'disabledsecret' };
const TEMPORARY = { id: 'STS.temporary', secret: 'temporarysecret' };
const TOKEN = 'tok/1+2=';
const EXPIRES_AT = Date.UTC(2300, 0, 1);

const ACCOUNT: Account = {
  id: 'account',
  accessKeys: [
    KEY,
    { ...DISABLED, disabled: true },
    { ...TEMPORARY, securityToken: TOKEN, expiresAt: EXPIRES_AT },
  ],
};

const ACTION = 'GenerateOTAUploadURL';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ parts: { accounts: [ACCOUNT] } });
});
afterAll(() => gateway.close());

function v1(common: Overrides = {}, key: Key = KEY, parameters = {}): Promise<Response> {
  return getV1(gateway.app, ACTION, parameters, { key, time: gateway.clock.now(), common });
}

function v3(headers: Overrides = {}, options: Partial<V3Options> = {}): Promise<Response> {
  return postV3(
    gateway.app,
    ACTION,
    {},
    { key: KEY, time: gateway.clock.now(), headers, ...options },
  );
}

function verdict({ body, status }: Response): unknown[] {
  return [status, body.Code ?? 'ok'];
}

describe('V1: what a call must have', () => {
  test.each([
    ['Version', 'MissingVersion'],
    ['Action', 'MissingAction'],
    ['AccessKeyId', 'MissingAccessKeyId'],
    ['Timestamp', 'MissingTimestamp'],
    ['SignatureNonce', 'MissingSignatureNonce'],
    ['SignatureMethod', 'MissingSignatureMethod'],
    ['SignatureVersion', 'MissingSignatureVersion'],
    ['Signature', 'MissingSignature'],
  ])('%s is mandatory, and empty is missing', async (name, code) => {
    const pairs = signV1(ACTION, {}, { key: KEY, time: gateway.clock.now() });
    const without = Object.fromEntries(Object.entries(pairs).filter(([each]) => each !== name));
    for (const each of [without, { ...pairs, [name]: '' }]) {
      const answer = await request(gateway.app).get('/').query(each);
      expect(verdict(answer)).toEqual([400, code]);
      expect(answer.body.Message).toBe(`${name} is mandatory for this action.`);
    }
  });

  test('parameter names are case-sensitive', async () => {
    const time = callDate(gateway.clock.now());
    const answer = await v1({ Timestamp: undefined, TimeStamp: time });
    expect(verdict(answer)).toEqual([400, 'MissingTimestamp']);
  });

  test.each<[Overrides, number, string]>([
    [{ Version: '2017-04-20' }, 400, 'InvalidVersion'],
    [{ Action: 'DescribeRegions' }, 404, 'InvalidAction.NotFound'],
    [{ Action: 'generateOTAUploadURL' }, 404, 'InvalidAction.NotFound'],
    [{ AccessKeyId: 'nobody' }, 404, 'InvalidAccessKeyId.NotFound'],
    [{ SignatureMethod: 'HMAC-SHA256' }, 400, 'InvalidSignatureMethod'],
    [{ SignatureVersion: '2.0' }, 400, 'InvalidSignatureVersion'],
    [{ SignatureNonce: 'n'.repeat(129) }, 400, 'InvalidSignatureNonce'],
    [{ SignatureNonce: 'n'.repeat(128) }, 200, 'ok'],
    [{ Timestamp: '2024-04-01 12:00:00' }, 400, 'InvalidTimeStamp.Format'],
    [{ Timestamp: '2024-02-30T12:00:00Z' }, 400, 'InvalidTimeStamp.Format'],
    [{ Timestamp: '2019-11-04T06:21:54Z' }, 400, 'InvalidTimeStamp.Expired'],
    [{ RegionId: 'cn-shanghai', SignatureType: '' }, 200, 'ok'],
  ])('%p -> %i %s', async (common, status, code) => {
    expect(verdict(await v1(common))).toEqual([status, code]);
  });

  test('a wrong Format is refused in XML', async () => {
    const answer = await v1({ Format: 'YAML' });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('text/xml;charset=utf-8');
    expect(answer.text).toContain('<Code>InvalidParameter.Format</Code>');
    expect(answer.text).toContain('<Message>Specified parameter format is not valid.</Message>');
  });

  test.each([
    ['twice in the query', '&FileSuffix=bin&FileSuffix=bin', ''],
    ['in query and body', '&FileSuffix=bin', 'FileSuffix=bin'],
  ])('a parameter given %s is refused', async (_, query, body) => {
    const answer = await request(gateway.app)
      .post(`/?Action=${ACTION}&Format=JSON${query}`)
      .type('application/x-www-form-urlencoded')
      .send(body);
    expect(verdict(answer)).toEqual([400, 'InvalidParameter']);
    expect(answer.body.Message).toContain('"FileSuffix"');
  });
});

describe('V1 signature', () => {
  test('a wrong secret: the message ends with the string to sign', async () => {
    const pairs = signV1(
      ACTION,
      { FileSuffix: 'tar.gz' },
      {
        key: { ...KEY, secret: 'wrong' },
        time: gateway.clock.now(),
      },
    );
    const answer = await request(gateway.app).get('/').query(pairs);
    expect(verdict(answer)).toEqual([400, 'SignatureDoesNotMatch']);
    expect(answer.body.Message).toBe(
      'Specified signature is not matched with our calculation. server string to sign is:' +
        stringToSignV1('GET', pairs),
    );
  });

  test('the method is signed', async () => {
    const pairs = signV1(ACTION, {}, { key: KEY, time: gateway.clock.now(), method: 'GET' });
    const answer = await request(gateway.app).post('/').query(pairs);
    expect(verdict(answer)).toEqual([400, 'SignatureDoesNotMatch']);
  });

  test('any split between query and body is the same call', async () => {
    const pairs = Object.entries(
      signV1(
        ACTION,
        { FileSuffix: 'tar.gz' },
        {
          key: KEY,
          time: gateway.clock.now(),
          method: 'POST',
        },
      ),
    );
    const answer = await request(gateway.app)
      .post('/')
      .query(Object.fromEntries(pairs.slice(0, 4)))
      .type('form')
      .send(Object.fromEntries(pairs.slice(4)));
    expect(verdict(answer)).toEqual([200, 'ok']);
    expect(answer.body.Data.Key).toMatch(/\.tar\.gz$/);
  });

  test('wire encodings other than the signed one are understood', async () => {
    const parameters = { IotInstanceId: "a b!'()*~+固" };
    const pairs = signV1(ACTION, parameters, { key: KEY, time: gateway.clock.now() });
    const query = Object.entries(pairs)
      .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%20', '+')}`)
      .join('&');
    expect(verdict(await request(gateway.app).get(`/?${query}`))).toEqual([200, 'ok']);
  });

  test('broken escapes are a value like any other', async () => {
    const answer = await request(gateway.app).get(`/?Action=%zz&Version=%&Format=JSON`);
    expect(verdict(answer)).toEqual([400, 'InvalidVersion']);
  });
});

describe('V3: what a call must have', () => {
  test.each([
    ['x-acs-version'],
    ['x-acs-action'],
    ['x-acs-date'],
    ['x-acs-signature-nonce'],
    ['x-acs-content-sha256'],
  ])('header %s is mandatory', async (name) => {
    const answer = await v3({ [name]: undefined });
    expect(verdict(answer)).toEqual([400, 'MissingHeader']);
    expect(answer.body.Message).toBe(`Specified header ${name} is mandatory for this action.`);
  });

  test.each<[Overrides, number, string]>([
    [{ 'x-acs-version': '2014-05-26' }, 400, 'InvalidVersion'],
    [{ 'x-acs-action': 'RunInstances' }, 404, 'InvalidAction.NotFound'],
    [{ 'x-acs-date': 'now' }, 400, 'InvalidTimeStamp.Format'],
    [{ 'x-acs-date': '2019-11-04T06:21:54Z' }, 400, 'InvalidTimeStamp.Expired'],
    [{ 'x-acs-content-sha256': '0'.repeat(64) }, 400, 'SignatureDoesNotMatch'],
    [{ 'x-acs-credentials-provider': 'static_ak', 'x-acs-retry-attempts': '1' }, 200, 'ok'],
  ])('%p -> %i %s', async (headers, status, code) => {
    expect(verdict(await v3(headers))).toEqual([status, code]);
  });

  test.each([
    ['host'],
    ['x-acs-action'],
    ['x-acs-version'],
    ['x-acs-date'],
    ['x-acs-signature-nonce'],
    ['x-acs-content-sha256'],
  ])('header %s must be signed', async (name) => {
    const answer = await v3({}, { unsigned: [name] });
    expect(verdict(answer)).toEqual([400, 'IncompleteSignature']);
    expect(answer.body.Message).toContain(name);
  });

  test.each([
    ['ACS3-HMAC-SM3 Credential=testid,SignedHeaders=host,Signature=00', 'InvalidSignatureMethod'],
    ['ACS3-HMAC-SHA256 Credential=testid', 'IncompleteSignature'],
    ['ACS3-HMAC-SHA256', 'IncompleteSignature'],
  ])('Authorization: %s -> %s', async (authorization, code) => {
    const { headers } = signV3(ACTION, {}, { key: KEY, time: gateway.clock.now() });
    const answer = await request(gateway.app)
      .post('/')
      .set({ ...headers, authorization });
    expect(verdict(answer)).toEqual([400, code]);
  });

  test('an unknown access key', async () => {
    const answer = await v3({}, { key: { id: 'nobody', secret: 'x' } });
    expect(verdict(answer)).toEqual([404, 'InvalidAccessKeyId.NotFound']);
  });

  test('a body that is not the announced one', async () => {
    const options = { key: KEY, time: gateway.clock.now(), body: 'FileSuffix=zip' };
    const { headers } = signV3(ACTION, {}, options);
    const answer = await request(gateway.app).post('/').set(headers).send('FileSuffix=apk');
    expect(verdict(answer)).toEqual([400, 'SignatureDoesNotMatch']);
    expect(answer.body.Message).toMatch(
      /body.*server string to sign is:ACS3-HMAC-SHA256\n[0-9a-f]{64}$/s,
    );
  });

  test('parameters of query and body together', async () => {
    const body = 'FileSuffix=zip';
    const parameters = { IotInstanceId: 'a b' };
    const options = { key: KEY, time: gateway.clock.now(), body };
    const answer = await postV3(gateway.app, ACTION, parameters, options);
    expect(verdict(answer)).toEqual([200, 'ok']);
    expect(answer.body.Data.Key).toMatch(/\.zip$/);
  });

  test('the API says so when it does not know the method', async () => {
    const options = { key: KEY, time: gateway.clock.now(), method: 'PUT' };
    const { headers } = signV3(ACTION, {}, options);
    const answer = await request(gateway.app).put('/').set(headers);
    expect(verdict(answer)).toEqual([400, 'UnsupportedHTTPMethod']);
  });
});

describe('access keys', () => {
  test('a disabled one', async () => {
    expect(verdict(await v1({}, DISABLED))).toEqual([400, 'InvalidAccessKeyId.Inactive']);
    expect(verdict(await v3({}, { key: DISABLED }))).toEqual([400, 'InvalidAccessKeyId.Inactive']);
  });

  test('a token on a permanent one is signed and means nothing', async () => {
    expect(verdict(await v1({ SecurityToken: 'anything' }))).toEqual([200, 'ok']);
    expect(verdict(await v3({ 'x-acs-security-token': 'anything' }))).toEqual([200, 'ok']);
  });

  test.each<[string, string | undefined, number, string]>([
    ['with its token', TOKEN, 200, 'ok'],
    ['without', undefined, 400, 'MissingSecurityToken'],
    ['with another', 'tok', 400, 'InvalidSecurityToken.MismatchWithAccessKey'],
  ])('a temporary one %s', async (_, token, status, code) => {
    const byV1 = await v1({ SecurityToken: token }, TEMPORARY);
    const byV3 = await v3({ 'x-acs-security-token': token }, { key: TEMPORARY });
    expect([verdict(byV1), verdict(byV3)]).toEqual([
      [status, code],
      [status, code],
    ]);
  });

  test('a temporary one ends', async () => {
    const now = gateway.clock.now();
    gateway.clock.set(EXPIRES_AT - 1);
    const before = await v1({ SecurityToken: TOKEN }, TEMPORARY);
    gateway.clock.set(EXPIRES_AT);
    const after = await v1({ SecurityToken: TOKEN }, TEMPORARY);
    gateway.clock.set(now);
    expect([verdict(before), verdict(after)]).toEqual([
      [200, 'ok'],
      [400, 'InvalidSecurityToken.Expired'],
    ]);
  });
});

describe('the order of checks', () => {
  /** Each call has every fault from its own on; the first one is told. */
  const faults: [string, Overrides][] = [
    ['MissingVersion', { Version: undefined }],
    ['InvalidAction.NotFound', { Action: 'Nothing' }],
    ['InvalidAccessKeyId.NotFound', { AccessKeyId: 'nobody' }],
    ['InvalidTimeStamp.Expired', { Timestamp: '2019-11-04T06:21:54Z' }],
    ['MissingSignatureNonce', { SignatureNonce: undefined }],
    ['SignatureDoesNotMatch', {}],
  ];

  test.each(faults.map(([code], place) => [code, place] as const))('%s', async (code, place) => {
    const common = Object.assign({}, ...faults.slice(place).map(([, each]) => each));
    const wrong = { id: KEY.id, secret: 'wrong' };
    const answer = await getV1(
      gateway.app,
      'DeleteOTAFirmware',
      {},
      {
        key: wrong,
        time: gateway.clock.now(),
        common,
      },
    );
    expect(answer.body.Code).toBe(code);
  });

  test('the format is judged before the access key and after the action', async () => {
    const format = await v1({ Format: 'YAML', AccessKeyId: 'nobody' });
    expect(format.text).toContain('<Code>InvalidParameter.Format</Code>');
    const action = await v1({ Format: 'YAML', Action: 'Nothing' });
    expect(action.text).toContain('<Code>InvalidAction.NotFound</Code>');
  });

  test('a used nonce is told before a missing parameter', async () => {
    const pairs = signV1('DeleteOTAFirmware', {}, { key: KEY, time: gateway.clock.now() });
    const first = await request(gateway.app).get('/').query(pairs);
    const second = await request(gateway.app).get('/').query(pairs);
    expect([first.body.Code, second.body.Code]).toEqual([
      'MissingFirmwareId',
      'SignatureNonceUsed',
    ]);
  });

  test('a missing parameter is told before an unknown instance', async () => {
    const answer = await getV1(
      gateway.app,
      'QueryOTAFirmware',
      {},
      {
        key: KEY,
        time: gateway.clock.now(),
      },
    );
    expect(verdict(answer)).toEqual([400, 'MissingFirmwareId']);
    expect(answer.body.Message).toBe('FirmwareId is mandatory for this action.');
  });
});

describe('nonces', () => {
  const SignatureNonce = 'the-nonce';

  test('a wrongly signed call burns none', async () => {
    const wrong = await v1({ SignatureNonce }, { id: KEY.id, secret: 'wrong' });
    const right = await v1({ SignatureNonce });
    const again = await v1({ SignatureNonce });
    expect([wrong.body.Code, right.body.Code, again.body.Code]).toEqual([
      'SignatureDoesNotMatch',
      undefined,
      'SignatureNonceUsed',
    ]);
    expect(again.body.Message).toBe('Specified signature nonce was used already.');
  });

  test('each access key has its own', async () => {
    const answer = await v1({ SignatureNonce, SecurityToken: TOKEN }, TEMPORARY);
    expect(verdict(answer)).toEqual([200, 'ok']);
  });
});

describe('the body of a refusal', () => {
  test('has the fields of the platform', async () => {
    const answer = await v1({ AccessKeyId: 'nobody' });
    const requestId: string = answer.body.RequestId;
    expect(JSON.parse(answer.text)).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
      HostId: HOST,
      Code: 'InvalidAccessKeyId.NotFound',
      Message: 'Specified access key is not found.',
      Recommend: `https://api.aliyun.com/troubleshoot?q=InvalidAccessKeyId.NotFound&product=Iot&requestId=${requestId}`,
    });
    expect(answer.headers['x-acs-request-id']).toBe(requestId);
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
  });

  test('the Date header is of the clock of the gateway', async () => {
    const { headers } = await v1({ AccessKeyId: 'nobody' });
    expect(headers['date']).toBe(new Date(gateway.clock.now()).toUTCString());
  });
});
