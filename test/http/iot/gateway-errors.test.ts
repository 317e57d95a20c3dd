import type { Response } from 'supertest';
import request from 'supertest';
import type { Account } from '../../../src/accounts/accounts.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { HOST, callDate, getV1, postV3, signV1, signV3, stringToSignV1 } from './api.ts';
import type { Key, Overrides, V3Options } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

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

describe('a V1 call', () => {
  it.each([
    ['Version', 'MissingVersion'],
    ['Action', 'MissingAction'],
    ['AccessKeyId', 'MissingAccessKeyId'],
    ['Timestamp', 'MissingTimestamp'],
    ['SignatureNonce', 'MissingSignatureNonce'],
    ['SignatureMethod', 'MissingSignatureMethod'],
    ['SignatureVersion', 'MissingSignatureVersion'],
    ['Signature', 'MissingSignature'],
  ])('requires %s; an empty value counts as missing', async (name, code) => {
    const pairs = signV1(ACTION, {}, { key: KEY, time: gateway.clock.now() });
    const without = Object.fromEntries(Object.entries(pairs).filter(([each]) => each !== name));
    for (const each of [without, { ...pairs, [name]: '' }]) {
      const response = await request(gateway.app).get('/').query(each);
      expect(verdict(response)).toEqual([400, code]);
      expect(response.body.Message).toBe(`${name} is mandatory for this action.`);
    }
  });

  it('has case-sensitive parameter names', async () => {
    const time = callDate(gateway.clock.now());
    const response = await v1({ Timestamp: undefined, TimeStamp: time });
    expect(verdict(response)).toEqual([400, 'MissingTimestamp']);
  });

  it.each<[Overrides, number, string]>([
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
  ])('is refused: %p gives %i %s', async (common, status, code) => {
    expect(verdict(await v1(common))).toEqual([status, code]);
  });

  it.each<[string, Overrides]>([
    ['nonce', { SignatureNonce: 'a\0b' }],
    ['action', { Action: 'Generate\0' }],
    ['FirmwareDesc', { FirmwareDesc: '\0' }],
    ['Udi', { Udi: '{"a":"\0"}' }],
    ['name of a parameter', { 'x\0': '1' }],
  ])('is refused for U+0000 in its %s', async (_what, common) => {
    const response = await v1(common);
    expect(verdict(response)).toEqual([400, 'InvalidParameter']);
    expect(response.body.Message).toContain('U+0000');
    expect(response.text).not.toContain('\\u0000');
  });

  it('is refused for U+0000 in the body or the query of a call of signature V3', async () => {
    const time = gateway.clock.now();
    const { headers, query } = signV3(ACTION, { FileSuffix: 'bin\0' }, { key: KEY, time });
    const response = await request(gateway.app).post('/').query(query).set(headers);
    expect(verdict(response)).toEqual([400, 'InvalidParameter']);
    expect(response.body.Message).toContain('"FileSuffix"');
  });

  it('is refused in XML when its Format is wrong', async () => {
    const response = await v1({ Format: 'YAML' });
    expect(response.status).toBe(400);
    expect(response.headers['content-type']).toBe('text/xml;charset=utf-8');
    expect(response.text).toContain('<Code>InvalidParameter.Format</Code>');
    expect(response.text).toContain(
      '<Message>Specified parameter format is not valid. Expected JSON or XML, found &quot;YAML&quot;.</Message>',
    );
  });

  it.each([
    ['twice in the query', '&FileSuffix=bin&FileSuffix=bin', ''],
    ['in query and body', '&FileSuffix=bin', 'FileSuffix=bin'],
  ])('is refused when a parameter is given %s', async (_, query, body) => {
    const response = await request(gateway.app)
      .post(`/?Action=${ACTION}&Format=JSON${query}`)
      .type('application/x-www-form-urlencoded')
      .send(body);
    expect(verdict(response)).toEqual([400, 'InvalidParameter']);
    expect(response.body.Message).toContain('"FileSuffix"');
  });
});

describe('a V1 signature', () => {
  it('is refused for a wrong secret, with the string to sign at the end of the message', async () => {
    const pairs = signV1(
      ACTION,
      { FileSuffix: 'tar.gz' },
      {
        key: { ...KEY, secret: 'wrong' },
        time: gateway.clock.now(),
      },
    );
    const response = await request(gateway.app).get('/').query(pairs);
    expect(verdict(response)).toEqual([400, 'SignatureDoesNotMatch']);
    expect(response.body.Message).toBe(
      'Specified signature is not matched with our calculation. server string to sign is:' +
        stringToSignV1('GET', pairs),
    );
  });

  it('covers the method', async () => {
    const pairs = signV1(ACTION, {}, { key: KEY, time: gateway.clock.now(), method: 'GET' });
    const response = await request(gateway.app).post('/').query(pairs);
    expect(verdict(response)).toEqual([400, 'SignatureDoesNotMatch']);
  });

  it('is the same for any split between query and body', async () => {
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
    const response = await request(gateway.app)
      .post('/')
      .query(Object.fromEntries(pairs.slice(0, 4)))
      .type('form')
      .send(Object.fromEntries(pairs.slice(4)));
    expect(verdict(response)).toEqual([200, 'ok']);
    expect(response.body.Data.Key).toMatch(/\.tar\.gz$/);
  });

  it('is valid for other encodings on the wire', async () => {
    const parameters = { IotInstanceId: "a b!'()*~+固" };
    const pairs = signV1(ACTION, parameters, { key: KEY, time: gateway.clock.now() });
    const query = Object.entries(pairs)
      .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%20', '+')}`)
      .join('&');
    expect(verdict(await request(gateway.app).get(`/?${query}`))).toEqual([200, 'ok']);
  });

  it('does not fail on broken escapes', async () => {
    const response = await request(gateway.app).get(`/?Action=%zz&Version=%&Format=JSON`);
    expect(verdict(response)).toEqual([400, 'InvalidVersion']);
  });
});

describe('a V3 call', () => {
  it.each([
    ['x-acs-version'],
    ['x-acs-action'],
    ['x-acs-date'],
    ['x-acs-signature-nonce'],
    ['x-acs-content-sha256'],
  ])('requires the header %s', async (name) => {
    const response = await v3({ [name]: undefined });
    expect(verdict(response)).toEqual([400, 'MissingHeader']);
    expect(response.body.Message).toBe(`Specified header ${name} is mandatory for this action.`);
  });

  it.each<[Overrides, number, string]>([
    [{ 'x-acs-version': '2014-05-26' }, 400, 'InvalidVersion'],
    [{ 'x-acs-action': 'RunInstances' }, 404, 'InvalidAction.NotFound'],
    [{ 'x-acs-date': 'now' }, 400, 'InvalidTimeStamp.Format'],
    [{ 'x-acs-date': '2019-11-04T06:21:54Z' }, 400, 'InvalidTimeStamp.Expired'],
    [{ 'x-acs-content-sha256': '0'.repeat(64) }, 400, 'SignatureDoesNotMatch'],
    [{ 'x-acs-credentials-provider': 'static_ak', 'x-acs-retry-attempts': '1' }, 200, 'ok'],
  ])('is refused: %p gives %i %s', async (headers, status, code) => {
    expect(verdict(await v3(headers))).toEqual([status, code]);
  });

  it.each([
    ['host'],
    ['x-acs-action'],
    ['x-acs-version'],
    ['x-acs-date'],
    ['x-acs-signature-nonce'],
    ['x-acs-content-sha256'],
  ])('requires a signed header %s', async (name) => {
    const response = await v3({}, { unsigned: [name] });
    expect(verdict(response)).toEqual([400, 'IncompleteSignature']);
    expect(response.body.Message).toContain(name);
  });

  it.each([
    ['ACS3-HMAC-SM3 Credential=testid,SignedHeaders=host,Signature=00', 'InvalidSignatureMethod'],
    ['ACS3-HMAC-SHA256 Credential=testid', 'IncompleteSignature'],
    ['ACS3-HMAC-SHA256', 'IncompleteSignature'],
  ])('refuses Authorization: %s with %s', async (authorization, code) => {
    const { headers } = signV3(ACTION, {}, { key: KEY, time: gateway.clock.now() });
    const response = await request(gateway.app)
      .post('/')
      .set({ ...headers, authorization });
    expect(verdict(response)).toEqual([400, code]);
  });

  it('is refused for an unknown access key', async () => {
    const response = await v3({}, { key: { id: 'nobody', secret: 'x' } });
    expect(verdict(response)).toEqual([404, 'InvalidAccessKeyId.NotFound']);
  });

  it('is refused when its body is not the announced one', async () => {
    const options = { key: KEY, time: gateway.clock.now(), body: 'FileSuffix=zip' };
    const { headers } = signV3(ACTION, {}, options);
    const response = await request(gateway.app).post('/').set(headers).send('FileSuffix=apk');
    expect(verdict(response)).toEqual([400, 'SignatureDoesNotMatch']);
    expect(response.body.Message).toMatch(
      /body.*server string to sign is:ACS3-HMAC-SHA256\n[0-9a-f]{64}$/s,
    );
  });

  it('may have parameters in query and body together', async () => {
    const body = 'FileSuffix=zip';
    const parameters = { IotInstanceId: 'a b' };
    const options = { key: KEY, time: gateway.clock.now(), body };
    const response = await postV3(gateway.app, ACTION, parameters, options);
    expect(verdict(response)).toEqual([200, 'ok']);
    expect(response.body.Data.Key).toMatch(/\.zip$/);
  });

  it('is refused by the API for an unknown method', async () => {
    const options = { key: KEY, time: gateway.clock.now(), method: 'PUT' };
    const { headers } = signV3(ACTION, {}, options);
    const response = await request(gateway.app).put('/').set(headers);
    expect(verdict(response)).toEqual([400, 'UnsupportedHTTPMethod']);
  });
});

describe('access keys', () => {
  it('are refused when they are disabled', async () => {
    expect(verdict(await v1({}, DISABLED))).toEqual([400, 'InvalidAccessKeyId.Inactive']);
    expect(verdict(await v3({}, { key: DISABLED }))).toEqual([400, 'InvalidAccessKeyId.Inactive']);
  });

  it('ignore a signed token when they are permanent', async () => {
    expect(verdict(await v1({ SecurityToken: 'anything' }))).toEqual([200, 'ok']);
    expect(verdict(await v3({ 'x-acs-security-token': 'anything' }))).toEqual([200, 'ok']);
  });

  it.each<[string, string | undefined, number, string]>([
    ['with its token', TOKEN, 200, 'ok'],
    ['without', undefined, 400, 'MissingSecurityToken'],
    ['with another', 'tok', 400, 'InvalidSecurityToken.MismatchWithAccessKey'],
  ])('are checked when they are temporary: %s', async (_, token, status, code) => {
    const byV1 = await v1({ SecurityToken: token }, TEMPORARY);
    const byV3 = await v3({ 'x-acs-security-token': token }, { key: TEMPORARY });
    expect([verdict(byV1), verdict(byV3)]).toEqual([
      [status, code],
      [status, code],
    ]);
  });

  it('are refused after their end when they are temporary', async () => {
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
  /** The call for a problem also has all later ones; the first one is reported. */
  const problems: [string, Overrides][] = [
    ['MissingVersion', { Version: undefined }],
    ['InvalidAction.NotFound', { Action: 'Nothing' }],
    ['InvalidAccessKeyId.NotFound', { AccessKeyId: 'nobody' }],
    ['InvalidTimeStamp.Expired', { Timestamp: '2019-11-04T06:21:54Z' }],
    ['MissingSignatureNonce', { SignatureNonce: undefined }],
    ['SignatureDoesNotMatch', {}],
  ];

  it.each(problems.map(([code], index) => [code, index] as const))(
    'reports %s first',
    async (code, index) => {
      const common = Object.assign({}, ...problems.slice(index).map(([, each]) => each));
      const wrong = { id: KEY.id, secret: 'wrong' };
      const response = await getV1(
        gateway.app,
        'DeleteOTAFirmware',
        {},
        {
          key: wrong,
          time: gateway.clock.now(),
          common,
        },
      );
      expect(response.body.Code).toBe(code);
    },
  );

  it('checks the format before the access key and after the action', async () => {
    const format = await v1({ Format: 'YAML', AccessKeyId: 'nobody' });
    expect(format.text).toContain('<Code>InvalidParameter.Format</Code>');
    const action = await v1({ Format: 'YAML', Action: 'Nothing' });
    expect(action.text).toContain('<Code>InvalidAction.NotFound</Code>');
  });

  it('reports a used nonce before a missing parameter', async () => {
    const pairs = signV1('DeleteOTAFirmware', {}, { key: KEY, time: gateway.clock.now() });
    const first = await request(gateway.app).get('/').query(pairs);
    const second = await request(gateway.app).get('/').query(pairs);
    expect([first.body.Code, second.body.Code]).toEqual([
      'MissingFirmwareId',
      'SignatureNonceUsed',
    ]);
  });

  it('reports a missing parameter before an unknown instance', async () => {
    const response = await getV1(
      gateway.app,
      'QueryOTAFirmware',
      {},
      {
        key: KEY,
        time: gateway.clock.now(),
      },
    );
    expect(verdict(response)).toEqual([400, 'MissingFirmwareId']);
    expect(response.body.Message).toBe('FirmwareId is mandatory for this action.');
  });
});

describe('nonces', () => {
  const SignatureNonce = 'the-nonce';

  it('are not burned by a wrongly signed call', async () => {
    const wrong = await v1({ SignatureNonce }, { id: KEY.id, secret: 'wrong' });
    const right = await v1({ SignatureNonce });
    const again = await v1({ SignatureNonce });
    expect([wrong.body.Code, right.body.Code, again.body.Code]).toEqual([
      'SignatureDoesNotMatch',
      undefined,
      'SignatureNonceUsed',
    ]);
    expect(again.body.Message).toBe(
      'Specified signature nonce was used already. Every call needs a new one, also when it is repeated.',
    );
  });

  it('are separate for each access key', async () => {
    const response = await v1({ SignatureNonce, SecurityToken: TOKEN }, TEMPORARY);
    expect(verdict(response)).toEqual([200, 'ok']);
  });
});

describe('the body of a refusal', () => {
  it('has the fields of the platform', async () => {
    const response = await v1({ AccessKeyId: 'nobody' });
    const requestId: string = response.body.RequestId;
    expect(JSON.parse(response.text)).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
      HostId: HOST,
      Code: 'InvalidAccessKeyId.NotFound',
      Message: 'Specified access key is not found.',
      Recommend: `https://api.aliyun.com/troubleshoot?q=InvalidAccessKeyId.NotFound&product=Iot&requestId=${requestId}`,
    });
    expect(response.headers['x-acs-request-id']).toBe(requestId);
    expect(response.headers['content-type']).toBe('application/json; charset=UTF-8');
  });

  it('has a Date header by the clock of the gateway', async () => {
    const { headers } = await v1({ AccessKeyId: 'nobody' });
    expect(headers['date']).toBe(new Date(gateway.clock.now()).toUTCString());
  });
});
