import { apiV1StringToSign, signApiV1 } from '../../../src/signatures/api-v1.ts';
import { apiV3StringToSign, signApiV3 } from '../../../src/signatures/api-v3.ts';
import { hmacSha1Base64 } from '../../../src/signatures/digests.ts';
import { ossV1StringToSign, signOssV1 } from '../../../src/signatures/oss-v1.ts';
import { ossV4StringToSign, signOssV4 } from '../../../src/signatures/oss-v4.ts';

/*
 * Vectors of the official SDKs' own tests that the tests of the signatures beside this one do not have. Each is named by
 * its repository and file. Values are typed from there.
 */

type Pairs = readonly (readonly [string, string])[];

const GO_CALL = [
  ['AccessKeyId', 'accessKeyId'],
  ['Action', ''],
  ['Format', 'JSON'],
  ['RegionId', 'regionId'],
  ['SignatureMethod', 'HMAC-SHA1'],
  ['SignatureNonce', 'MOCK_UUID'],
  ['SignatureType', ''],
  ['SignatureVersion', '1.0'],
  ['Timestamp', 'mock date'],
  ['Version', ''],
] as const;

describe('API signature version 1', () => {
  it.each<[string, string, Pairs, string]>([
    [
      'aliyun/alibaba-cloud-sdk-go, sdk/auth/rpc_signature_composer_test.go',
      'accessKeySecret',
      GO_CALL,
      '7loPmFjvDnzOVnQeQNj85S6nFGY=',
    ],
    [
      'aliyun/alibaba-cloud-sdk-go, sdk/auth/rpc_signature_composer_test.go, with a security token',
      'accessKeySecret',
      [...GO_CALL, ['SecurityToken', 'accessKeyStsToken']],
      '5Nxdcler+ihqWqv0Hr2On4PsBf4=',
    ],
  ])('signs as %s', (_source, secret, parameters, signature) => {
    expect(signApiV1(secret, apiV1StringToSign('GET', parameters))).toBe(signature);
  });

  it.each<[string, Pairs, string]>([
    ['aliyun/alibaba-cloud-sdk-go, sdk/auth/rpc_signature_composer_test.go', [], 'GET&%2F&'],
    [
      'the same, with a URL as a value',
      [
        ['key', 'value'],
        ['q', 'http://domain/?q=value&q2=value2'],
      ],
      'GET&%2F&key%3Dvalue%26q%3Dhttp%253A%252F%252Fdomain%252F%253Fq%253Dvalue%2526q2%253Dvalue2',
    ],
    [
      'aliyun/aliyun-openapi-java-sdk, aliyun-java-sdk-core/.../auth/RpcSignatureComposerTest.java',
      [
        ['queryKey1', 'queryValue1'],
        ['queryKey2', 'queryValue2'],
      ],
      'GET&%2F&queryKey1%3DqueryValue1%26queryKey2%3DqueryValue2',
    ],
  ])('makes the string to sign of %s', (_source, parameters, stringToSign) => {
    expect(apiV1StringToSign('GET', parameters)).toBe(stringToSign);
  });
});

describe('HMAC-SHA1 of version 1', () => {
  // Their signers are tested with the complete key, to which the callers have added the `&`.
  it.each([
    [
      'aliyun/aliyun-openapi-java-sdk, .../auth/signers/HmacSHA1SignerTest.java',
      'sk#$!~~~',
      'abc~!@#',
      '7eV3A584uvdgKVk8Ck8r9ukg1gE=',
    ],
    [
      'aliyun/aliyun-openapi-net-sdk, aliyun-net-sdk-core.Tests/Units/Auth/HmacSHA1Signer.cs',
      'secret',
      'foo',
      'm67ZG+f1i1fIJLYNp8smKy7K+9I=',
    ],
    [
      'aliyun/alibaba-cloud-sdk-go, sdk/auth/signers/algorithms_test.go',
      'secret',
      'source',
      'Jv4yi8SobFhg5t1C7nWLbhBSFZQ=',
    ],
    ['the same, Chinese text', 'secret', '中文', 'CqCYIa39h9SSWuXnTz8F5hh9UPA='],
    [
      'aliyun/aliyun-oss-java-sdk, .../common/auth/ServiceSignatureTest.java',
      'csdev',
      '/ListTable\nDate=Mon%2C%2028%20Nov%202011%2014%3A02%3A46%20GMT&OTSAccessKeyId=csdev&APIVersion=1&SignatureMethod=HmacSHA1&SignatureVersion=1',
      '3mAoxRc8hd7WdaFB5Ii7dGNcwx0=',
    ],
  ])('is that of %s', (_source, key, text, signature) => {
    expect(hmacSha1Base64(key, text)).toBe(signature);
  });
});

describe('API signature version 3', () => {
  it('signs as aliyun/darabonba-openapi, golang/utils/client_test.go, a request without a method', () => {
    const stringToSign = apiV3StringToSign({
      method: '',
      path: '/',
      query: [
        ['test', 'ok'],
        ['empty', ''],
      ],
      headers: new Map([['x-acs-test', 'http,https']]),
      signedHeaders: ['x-acs-test'],
      payloadHash: '55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23',
    });
    expect(signApiV3('secret', stringToSign)).toBe(
      '4ab59fffe3c5738ff8a2729f90cc04fe18b02a4b15b2102cbaf92f9ff3df2ea3',
    );
  });
});

const DATE = 'Wed, 28 Dec 2022 10:27:41 GMT';
const PUT_WITH_TOKEN: Pairs = [
  ['content-md5', 'eB5eJF1ptWaXm4bijSPyxw=='],
  ['content-type', 'text/html'],
  ['x-oss-meta-author', 'alice'],
  ['x-oss-meta-magic', 'abracadabra'],
  ['x-oss-date', DATE],
  ['x-oss-security-token', 'token'],
];

describe('OSS signature version 1', () => {
  it.each<[string, string, string, string | undefined, Pairs, Pairs, string, string]>([
    [
      'aliyun/alibabacloud-oss-csharp-sdk-v2, .../Signer/SignerV1Test.cs, with a token',
      'PUT',
      'examplebucket',
      'nelson',
      [],
      PUT_WITH_TOKEN,
      DATE,
      'H3PAlN3Vucn74tPVEqaQC4AnLwQ=',
    ],
    [
      'aliyun/aliyun-oss-php-sdk, tests/OSS/Tests/SignerTest.php, with a token and an unsigned parameter',
      'PUT',
      'examplebucket',
      'nelson',
      [
        ['acl', ''],
        ['non-signed-key', 'value'],
      ],
      PUT_WITH_TOKEN,
      DATE,
      'yeceHMAsgusDPCR979RJcLtd7RI=',
    ],
    [
      'aliyun/alibabacloud-oss-java-sdk-v2, .../signer/SignerV1Test.java, a resource group',
      'GET',
      'examplebucket',
      undefined,
      [
        ['resourceGroup', ''],
        ['non-resousce', 'null'],
      ],
      [['x-oss-date', DATE]],
      DATE,
      'vkQmfuUDyi1uDi3bKt67oemssIs=',
    ],
    [
      'aliyun/alibabacloud-oss-go-sdk-v2, oss/signer/signer_test.go, a resource group and an ACL',
      'GET',
      'examplebucket',
      undefined,
      [
        ['resourceGroup', ''],
        ['acl', ''],
      ],
      [['x-oss-date', DATE]],
      DATE,
      'x3E5TgOvl/i7PN618s5mEvpJDYk=',
    ],
    [
      'aliyun/alibabacloud-oss-java-sdk-v2, .../signer/SignerV1Test.java, a URL whose token is escaped',
      'GET',
      'bucket',
      'key+123',
      [
        ['versionId', 'versionId'],
        ['security-token', 'attachment; /file/name==example.txt++'],
      ],
      [],
      '1699808204',
      'su58IVk06Q73DHwcMsXft/RTZ98=',
    ],
    [
      'aliyun/alibabacloud-oss-php-sdk-v2, tests/UnitTests/Signer/SignerV1Test.php, a URL without parameters',
      'GET',
      'bucket',
      'key',
      [],
      [],
      '1699807420',
      'tYKe4BGVXY/MIl5F0qSoNfAnpkk=',
    ],
  ])('signs as %s', (_source, method, bucket, key, query, headers, date, signature) => {
    const request = { method, bucket, key, query, headers: new Map(headers) };
    expect(signOssV1('sk', ossV1StringToSign(request, date))).toBe(signature);
  });
});

const QUERY: Pairs = [
  ['param1', 'value1'],
  ['+param1', 'value3'],
  ['|param1', 'value4'],
  ['+param2', ''],
  ['|param2', ''],
  ['param2', ''],
];
const HEADERS: Pairs = [
  ['x-oss-head1', 'value'],
  ['abc', 'value'],
  ['zabc', 'value'],
  ['xyz', 'value'],
];

describe('OSS signature version 4', () => {
  it('signs as aliyun/alibabacloud-oss-php-sdk-v2, tests/UnitTests/Signer/SignerV4Test.php, an append', () => {
    const signing = { date: '20231216T162057Z', region: 'cn-hangzhou', additionalHeaders: [] };
    const request = {
      method: 'POST',
      bucket: 'bucket',
      key: 'object',
      query: [
        ['position', '0'],
        ['append', ''],
      ] as const,
      headers: new Map([
        ['content-type', 'text/plain'],
        ['x-oss-content-sha256', 'UNSIGNED-PAYLOAD'],
        ['x-oss-date', signing.date],
      ]),
    };
    const scope = { date: '20231216', region: 'cn-hangzhou' };
    expect(signOssV4('sk', scope, ossV4StringToSign(request, signing))).toBe(
      'f7a645f23a0434ea90d5e2bb2bca90d0fda9ef4bc54a9c5008b2134e7c9023f2',
    );
  });

  it('signs as the same file, a URL of a key with a space', () => {
    const date = '20231217T033009Z';
    const signing = { date, region: 'cn-hangzhou', additionalHeaders: ['abc', 'zabc'] };
    const request = {
      method: 'PUT',
      bucket: 'bucket',
      key: 'key 123.txt',
      query: [
        ...QUERY,
        ['x-oss-signature-version', 'OSS4-HMAC-SHA256'],
        ['x-oss-credential', 'ak/20231217/cn-hangzhou/oss/aliyun_v4_request'],
        ['x-oss-date', date],
        ['x-oss-expires', '599'],
        ['x-oss-additional-headers', 'abc;zabc'],
      ] as const,
      headers: new Map([...HEADERS, ['content-type', 'application/octet-stream']]),
    };
    const scope = { date: '20231217', region: 'cn-hangzhou' };
    expect(signOssV4('sk', scope, ossV4StringToSign(request, signing))).toBe(
      '33208021567953241c3cc1d95ecf1864f8561890c30d29488ce76c7afb81a623',
    );
  });
});
