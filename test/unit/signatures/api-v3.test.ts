import {
  apiV3StringToSign,
  parseAuthorizationV3,
  sha256Hex,
  signApiV3,
} from '../../../src/signatures/api-v3.ts';
import type { ApiV3Request } from '../../../src/signatures/api-v3.ts';

const EMPTY_BODY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const SIX = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
];

const RUN_INSTANCES: ApiV3Request = {
  method: 'POST',
  path: '/',
  query: [
    ['RegionId', 'cn-shanghai'],
    ['ImageId', 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd'],
  ],
  headers: new Map([
    ['host', 'ecs.cn-shanghai.aliyuncs.com'],
    ['x-acs-action', 'RunInstances'],
    ['x-acs-content-sha256', EMPTY_BODY],
    ['x-acs-date', '2023-10-26T10:22:32Z'],
    ['x-acs-signature-nonce', '3156853299f313e23d1673dc12e1703d'],
    ['x-acs-version', '2014-05-26'],
    ['user-agent', 'not signed'],
  ]),
  signedHeaders: SIX,
  payloadHash: EMPTY_BODY,
};
const GENERATE: ApiV3Request = {
  ...RUN_INSTANCES,
  query: [['FileSuffix', 'tar.gz']],
  headers: new Map([
    ['host', 'iot.cn-shanghai.aliyuncs.com'],
    ['x-acs-action', 'GenerateOTAUploadURL'],
    ['x-acs-content-sha256', EMPTY_BODY],
    ['x-acs-date', '2024-04-01T12:00:00Z'],
    ['x-acs-signature-nonce', '3156853299f313e23d1673dc12e1703d'],
    ['x-acs-version', '2018-01-20'],
  ]),
};
const FORM_HASH = '608cf96b0408d0840f9feacc70ca6434e13bd952af1ed13aed059acaf1a59e7d';
const CREATE_BY_FORM: ApiV3Request = {
  ...GENERATE,
  query: [],
  headers: new Map([
    ...GENERATE.headers,
    ['x-acs-action', 'CreateOTAFirmware'],
    ['x-acs-content-sha256', FORM_HASH],
    ['content-type', 'application/x-www-form-urlencoded'],
  ]),
  signedHeaders: ['content-type', ...SIX],
  payloadHash: FORM_HASH,
};

describe('API signature version 3', () => {
  it.each([
    [
      'the published call of ECS',
      'YourAccessKeySecret',
      RUN_INSTANCES,
      '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
      '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
    ],
    [
      'GenerateOTAUploadURL',
      'testsecret',
      GENERATE,
      '4806943994e598f8705ce9908b88ba5cf7e3b9ba3366b695aeec133ec5bf7e6b',
      'a432b15106878634fcf2d7ee280c2e1ad786f6f0021564af9be463c922e70c16',
    ],
    [
      'CreateOTAFirmware with a form body',
      'testsecret',
      CREATE_BY_FORM,
      '189c862e9af8c8e0bf45549d0f1fb0d3dd8dcb5541202f8e49686b66d257c02a',
      '7d73d4df9d5279ae490bc60c7843c27dafcc6611911ec18fcabaabfc25966fb1',
    ],
  ])('reproduces %s', (_what, secret, request, hash, signature) => {
    const stringToSign = apiV3StringToSign(request);
    expect(stringToSign).toBe(`ACS3-HMAC-SHA256\n${hash}`);
    expect(signApiV3(secret, stringToSign)).toBe(signature);
  });

  it.each<[string, Partial<ApiV3Request>]>([
    ['method', { method: 'GET' }],
    ['path', { path: '/x' }],
    ['query', { query: [['FileSuffix', 'tar.gx']] }],
    [
      'a further query parameter',
      {
        query: [
          ['FileSuffix', 'tar.gz'],
          ['a', ''],
        ],
      },
    ],
    ['a signed header', { headers: new Map([...GENERATE.headers, ['host', 'other']]) }],
    ['the list of signed headers', { signedHeaders: SIX.slice(1) }],
    ['a signed header that is not there', { signedHeaders: [...SIX, 'x-acs-more'] }],
    ['payload', { payloadHash: FORM_HASH }],
  ])('covers the %s', (_what, difference) => {
    const changed = apiV3StringToSign({ ...GENERATE, ...difference });
    expect(changed).not.toBe(apiV3StringToSign(GENERATE));
  });

  it('does not depend on the order of query and signed headers, or on unsigned headers', () => {
    const reordered = {
      ...RUN_INSTANCES,
      query: [...RUN_INSTANCES.query].reverse(),
      headers: new Map([...RUN_INSTANCES.headers, ['accept', 'application/json']]),
      signedHeaders: [...SIX].reverse(),
    };
    expect(apiV3StringToSign(reordered)).toBe(apiV3StringToSign(RUN_INSTANCES));
  });

  it('counts a header that is named twice once, so that its value cannot be multiplied', () => {
    const signedHeaders = [...SIX, ...SIX.map((name) => name.toUpperCase())];
    expect(apiV3StringToSign({ ...RUN_INSTANCES, signedHeaders })).toBe(
      apiV3StringToSign(RUN_INSTANCES),
    );
  });
});

describe('sha256Hex', () => {
  it.each([
    ['', EMPTY_BODY],
    [Buffer.alloc(0), EMPTY_BODY],
    ['DestVersion=2.0.0&FirmwareName=fw%20(v1)_%E5%9B%BA%E4%BB%B6*', FORM_HASH],
  ])('digests %j', (bytes, hash) => {
    expect(sha256Hex(bytes)).toBe(hash);
  });
});

describe('parseAuthorizationV3', () => {
  const parsed = {
    accessKeyId: 'testid',
    signedHeaders: ['host', 'x-acs-date'],
    signature: 'ba52',
  };

  it.each([
    'ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host;x-acs-date,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=testid, SignedHeaders=Host;X-Acs-Date, Signature=ba52',
    'ACS3-HMAC-SHA256 Signature=ba52,SignedHeaders=host;x-acs-date,Credential=testid',
  ])('reads %s', (header) => {
    expect(parseAuthorizationV3(header)).toEqual(parsed);
  });

  it.each([
    '',
    'ACS3-HMAC-SHA256',
    'ACS3-HMAC-SHA256 ',
    'ACS3-HMAC-SM3 Credential=testid,SignedHeaders=host,Signature=ba52',
    'acs3-hmac-sha256 Credential=testid,SignedHeaders=host,Signature=ba52',
    'ACS3-HMAC-SHA256Credential=testid,SignedHeaders=host,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host',
    'ACS3-HMAC-SHA256 SignedHeaders=host,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=testid,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=ba52',
    'ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=ba52,More=x',
    'ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=ba52,',
    'ACS3-HMAC-SHA256 Credential=a b,SignedHeaders=host,Signature=ba52',
  ])('refuses %j', (header) => {
    expect(parseAuthorizationV3(header)).toBeUndefined();
  });
});
