import { apiV1StringToSign, signApiV1 } from '../../../src/signatures/api-v1.ts';

const ECS = {
  Timestamp: '2016-02-23T12:46:24Z',
  Format: 'XML',
  AccessKeyId: 'testid',
  Action: 'DescribeRegions',
  SignatureMethod: 'HMAC-SHA1',
  SignatureNonce: '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf',
  Version: '2014-05-26',
  SignatureVersion: '1.0',
};
const IOT_PUB = {
  MessageContent: 'aGVsbG93b3JsZA=',
  Action: 'Pub',
  Timestamp: '2017-10-02T09:39:41Z',
  SignatureVersion: '1.0',
  ServiceCode: 'iot',
  Format: 'XML',
  Qos: '0',
  SignatureNonce: '0715a395-aedf-4a41-bab7-746b43d38d88',
  Version: '2017-04-20',
  AccessKeyId: 'testid',
  SignatureMethod: 'HMAC-SHA1',
  RegionId: 'cn-shanghai',
  ProductKey: '12345abcdeZ',
  TopicFullName: '/productKey/testdevice/get',
};
const GENERATE = {
  Action: 'GenerateOTAUploadURL',
  Version: '2018-01-20',
  Format: 'JSON',
  AccessKeyId: 'testid',
  SignatureMethod: 'HMAC-SHA1',
  SignatureVersion: '1.0',
  SignatureNonce: '15215528852396',
  Timestamp: '2024-04-01T12:00:00Z',
  RegionId: 'cn-shanghai',
  FileSuffix: 'tar.gz',
};
const GENERATE_CANONICAL =
  '%2F&AccessKeyId%3Dtestid%26Action%3DGenerateOTAUploadURL%26FileSuffix%3Dtar.gz%26Format%3DJSON%26RegionId%3Dcn-shanghai%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D15215528852396%26SignatureVersion%3D1.0%26Timestamp%3D2024-04-01T12%253A00%253A00Z%26Version%3D2018-01-20';
const CREATE = {
  Action: 'CreateOTAFirmware',
  Version: '2018-01-20',
  Format: 'json',
  AccessKeyId: 'testid',
  SignatureMethod: 'HMAC-SHA1',
  SignatureVersion: '1.0',
  SignatureNonce: 'n1',
  Timestamp: '2024-04-01T12:00:00Z',
  DestVersion: '2.0.0',
  FirmwareName: 'fw (v1)_固件*',
  FirmwareDesc: "a+b c~d!'()*",
  'MultiFiles.1.Name': 'f1.bin',
  'MultiFiles.2.Name': 'f2.bin',
  'MultiFiles.10.Name': 'f10.bin',
};

describe('API signature version 1', () => {
  it.each<[string, string, Record<string, string>, string, string]>([
    [
      'the published call of ECS',
      'GET',
      ECS,
      'GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26',
      'OLeaidS1JvxuMvnyHOwuJ+uX5qY=',
    ],
    [
      'the published call of IoT Platform',
      'GET',
      IOT_PUB,
      'GET&%2F&AccessKeyId%3Dtestid%26Action%3DPub%26Format%3DXML%26MessageContent%3DaGVsbG93b3JsZA%253D%26ProductKey%3D12345abcdeZ%26Qos%3D0%26RegionId%3Dcn-shanghai%26ServiceCode%3Diot%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D0715a395-aedf-4a41-bab7-746b43d38d88%26SignatureVersion%3D1.0%26Timestamp%3D2017-10-02T09%253A39%253A41Z%26TopicFullName%3D%252FproductKey%252Ftestdevice%252Fget%26Version%3D2017-04-20',
      'Y9eWn4nF8QPh3c4zAFkM/k/u7eA=',
    ],
    [
      'GenerateOTAUploadURL by GET',
      'GET',
      GENERATE,
      `GET&${GENERATE_CANONICAL}`,
      '60SRoEcxu9y7w7FboJG537/0+oc=',
    ],
    [
      'GenerateOTAUploadURL by POST',
      'POST',
      GENERATE,
      `POST&${GENERATE_CANONICAL}`,
      'WE2D3AAiyvcxDJyaD9H/d2WgBZI=',
    ],
    [
      'special characters and numbered names',
      'POST',
      CREATE,
      'POST&%2F&AccessKeyId%3Dtestid%26Action%3DCreateOTAFirmware%26DestVersion%3D2.0.0%26FirmwareDesc%3Da%252Bb%2520c~d%2521%2527%2528%2529%252A%26FirmwareName%3Dfw%2520%2528v1%2529_%25E5%259B%25BA%25E4%25BB%25B6%252A%26Format%3Djson%26MultiFiles.1.Name%3Df1.bin%26MultiFiles.10.Name%3Df10.bin%26MultiFiles.2.Name%3Df2.bin%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn1%26SignatureVersion%3D1.0%26Timestamp%3D2024-04-01T12%253A00%253A00Z%26Version%3D2018-01-20',
      '+7/OYXhnzvwOZNsKgZvM5Y3P33k=',
    ],
  ])('reproduces %s', (_what, method, parameters, stringToSign, signature) => {
    expect(apiV1StringToSign(method, Object.entries(parameters))).toBe(stringToSign);
    expect(signApiV1('testsecret', stringToSign)).toBe(signature);
  });

  it('leaves out Signature, but no parameter with a similar name', () => {
    const pairs: [string, string][] = [
      ['Signature', 'x'],
      ['signature', 'y'],
      ['SignatureType', ''],
    ];
    expect(apiV1StringToSign('get', pairs)).toBe('GET&%2F&SignatureType%3D%26signature%3Dy');
  });

  it('does not depend on the order of the parameters, and does not change them', () => {
    const pairs = Object.entries(CREATE);
    const before = [...pairs];
    const backwards = new Map([...pairs].reverse());
    expect(apiV1StringToSign('POST', backwards)).toBe(apiV1StringToSign('POST', pairs));
    expect(pairs).toEqual(before);
  });
});
