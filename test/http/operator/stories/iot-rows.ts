import request from 'supertest';
import type { BusinessCode, GatewayErrorName } from '../../../../src/iot/errors.ts';
import { signV3 } from '../../iot/api.ts';
import type { Key, Overrides, Parameters } from '../../iot/api.ts';
import { EXPIRED, OFF, OPS, SHOP, SMALL, TEMPORARY, TOKEN } from './bench.ts';
import type { Bench } from './bench.ts';
import type { Row, Rows } from './row.ts';

const GENERATE = 'GenerateOTAUploadURL';

const calling =
  (action: string, parameters: Parameters = {}, common: Overrides = {}, key?: Key): Row['send'] =>
  (bench) =>
    bench.call(action, parameters, { common, ...(key && { key }) });

/** Creates a package of a new upload. */
const creating =
  (parameters: Parameters, key: Key = OPS): Row['send'] =>
  async (bench) =>
    bench.claim(await bench.upload('firmware', key), parameters, key);

/** Creates a package of no upload. */
const createOf =
  (url: string, parameters: Parameters = {}): Row['send'] =>
  (bench) =>
    bench.claim(url, parameters);

const modifying = (parameters: Parameters): Row['send'] =>
  calling('ModifyOTAFirmware', { FirmwareId: 'abc', ProductKey: 'pk1', ...parameters });

const URL_OF_NONE = 'http://gateway.test/ota/none.bin';

/** Two packages of which the second one has the name or the version of the first one. */
async function twice(bench: Bench, parameters: Parameters): Promise<void> {
  await bench.claim(await bench.upload(), parameters);
  await bench.claim(await bench.upload(), parameters);
}

const callingV3 =
  (headers: Overrides): Row['send'] =>
  async ({ oss: { gateway } }) => {
    const signed = signV3(GENERATE, {}, { key: OPS, time: gateway.clock.now(), headers });
    await request(gateway.app).post('/').set(signed.headers);
  };

/** A request for every error of the layer in front of the operations that a client can cause. */
export const GATEWAY_ROWS: Rows<GatewayErrorName> = {
  UnsupportedHTTPMethod: {
    send: async ({ oss: { gateway } }) => {
      const options = { key: OPS, time: gateway.clock.now(), method: 'PUT' };
      await request(gateway.app)
        .put('/')
        .set(signV3(GENERATE, {}, options).headers);
    },
    says: ['GET or POST', 'PUT'],
    toPass: 'GET or POST',
  },
  'Missing{name}': {
    send: calling('QueryOTAFirmware'),
    says: ['FirmwareId is mandatory for this action', 'parameters of the call: Action'],
    toPass: 'send FirmwareId',
  },
  MissingHeader: {
    send: callingV3({ 'x-acs-version': undefined }),
    says: ['x-acs-version is mandatory'],
    toPass: 'send x-acs-version',
  },
  InvalidParameter: {
    send: calling(
      GENERATE,
      Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`p${n}`, 1])),
    ),
    says: ['A call may have at most'],
    toPass: 'send the parameter as the message says',
  },
  'Invalid{name}': {
    send: calling(GENERATE, {}, { Version: '2017-04-20' }),
    says: ['version 2018-01-20', 'Version = "2017-04-20"'],
    toPass: 'send the parameter as the message says',
  },
  'InvalidParameter.Format': {
    send: calling(GENERATE, {}, { Format: 'YAML' }),
    says: ['JSON or XML', 'Format = "YAML"'],
    toPass: 'JSON or XML',
  },
  'InvalidAction.NotFound': {
    send: calling('DescribeRegions'),
    says: [
      'DescribeRegions',
      'GenerateOTAUploadURL, CreateOTAFirmware, QueryOTAFirmware, ListOTAFirmware, ModifyOTAFirmware, DeleteOTAFirmware',
    ],
    toPass: 'one of these operations',
  },
  InvalidSignatureMethod: {
    send: calling(GENERATE, {}, { SignatureMethod: 'HMAC-SHA256' }),
    says: ['HMAC-SHA1', 'SignatureMethod = "HMAC-SHA256"'],
    toPass: 'HMAC-SHA1',
  },
  'InvalidAccessKeyId.NotFound': {
    send: calling(GENERATE, {}, { AccessKeyId: 'bucketid' }),
    says: [
      'sent access key bucketid',
      'this is the key of the bucket',
      'keys of accounts: ...-key',
    ],
    toPass: 'use an access key of `ota-gateway accounts ls`',
  },
  'InvalidAccessKeyId.Inactive': {
    send: calling(GENERATE, {}, {}, OFF),
    says: ['sent access key ...-key', 'Specified access key is disabled'],
    toPass: '`ota-gateway accounts enable` the key',
  },
  'InvalidSecurityToken.Expired': {
    send: calling(GENERATE, {}, { SecurityToken: TOKEN }, EXPIRED),
    says: ['expired', 'sent access key ...ired'],
    toPass: 'get new temporary credentials',
  },
  'InvalidSecurityToken.MismatchWithAccessKey': {
    send: calling(GENERATE, {}, { SecurityToken: 'token-of-another-key' }, TEMPORARY),
    says: ['mismatch', 'sent access key ...rary'],
    toPass: 'get new temporary credentials',
  },
  'InvalidTimeStamp.Format': {
    send: calling(GENERATE, {}, { Timestamp: 'yesterday' }),
    says: ['date of the client: yesterday', 'Expected '],
    toPass: 'write the date as',
  },
  'InvalidTimeStamp.Expired': {
    send: calling(GENERATE, {}, { Timestamp: '2026-01-02T02:04:05Z' }),
    says: [
      'date of the client: 2026-01-02T02:04:05Z',
      'clock of the gateway: 2026-01-02T03:04:05',
      '60 min behind',
      'allowed: 15 min',
    ],
    toPass: 'set the clock of the client',
  },
  SignatureNonceUsed: {
    send: async (bench) => {
      await bench.call(GENERATE, {}, { common: { SignatureNonce: 'one' } });
      await bench.call(GENERATE, {}, { common: { SignatureNonce: 'one' } });
    },
    says: ['SignatureNonce = "one"', 'was used already', 'has used the nonce first, at 2026-'],
    toPass: 'make a new SignatureNonce and sign again for each try',
  },
  SignatureDoesNotMatch: {
    send: calling(GENERATE, {}, {}, { id: OPS.id, secret: `${OPS.secret} ` }),
    says: ['GET&%2F&', 'with a space after the secret'],
    toPass: 'sign with the secret that belongs to the access key',
  },
  IncompleteSignature: {
    send: async ({ oss: { gateway } }) => {
      const { headers } = signV3(GENERATE, {}, { key: OPS, time: gateway.clock.now() });
      const authorization = 'ACS3-HMAC-SHA256 Credential=x';
      await request(gateway.app)
        .post('/')
        .set({ ...headers, authorization });
    },
    says: ['Credential=...,SignedHeaders='],
    toPass: 'write the header Authorization as the message says',
  },
  'Throttling.User': {
    send: async (bench) => {
      await bench.call(GENERATE);
      await bench.call(GENERATE);
    },
    says: ['GenerateOTAUploadURL may be called 1 time per second', 'OTA_GATEWAY_QPS', '1000 ms'],
    toPass: 'wait',
    by: 'tight',
  },
  RequestBodyTooLarge: {
    send: async ({ oss: { gateway } }) => {
      await request(gateway.app).post(`/?Action=${GENERATE}`).type('form').send('a'.repeat(3e6));
    },
    says: ['at most', 'announced 3,000,000 bytes'],
    toPass: 'shorten the call',
  },
  IncompleteBody: { unreachable: 'like IncompleteBody of OSS' },
  RequestTimeout: { unreachable: 'needs the time of OTA_GATEWAY_IDLE_TIMEOUT' },
  ServiceUnavailable: { unreachable: 'needs many requests at the same time' },
  InternalError: { unreachable: 'like InternalError of OSS' },
};

const MULTI: Parameters = {
  'MultiFiles.1.Name': 'a',
  'MultiFiles.1.Url': URL_OF_NONE,
};

/** A request for every refusal of an operation that a client can cause. */
export const BUSINESS_ROWS: Rows<BusinessCode> = {
  'Throttling.Limit': {
    send: async (bench) => {
      await bench.call(GENERATE, {}, { key: SMALL });
      await bench.call(GENERATE, {}, { key: SMALL });
    },
    says: ['The limit is 1 (OTA_GATEWAY_MAX_ACCOUNT_UPLOADS'],
    toPass: 'raise the limit that is named',
  },
  'iot.system.IllegalRequest': {
    send: createOf(URL_OF_NONE, MULTI),
    says: ['FirmwareUrl cannot be given together with MultiFiles', 'MultiFiles.1.Name = "a"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.system.InstanceNotFound': {
    send: calling(GENERATE, { IotInstanceId: 'other' }, {}, SHOP),
    says: ['must be one of iot-1', 'IotInstanceId = "other"'],
    toPass: 'IotInstanceId',
  },
  'iot.common.InvalidPageParams': {
    send: calling('ListOTAFirmware', { CurrentPage: 0, PageSize: 10 }),
    says: ['an integer from 1 to', 'CurrentPage = "0"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.check.InvalidFormattedParameter': {
    send: createOf(URL_OF_NONE, { NeedToVerify: 'maybe' }),
    says: ['true or false', 'NeedToVerify = "maybe"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.check.ParameterIsNotLessThanMax': {
    send: calling(GENERATE, { IotInstanceId: 'i'.repeat(257) }),
    says: ['at most 256 characters', 'IotInstanceId = "iii'],
    toPass: 'send the parameter as the message says',
  },
  'iot.prod.NullProductKey': {
    send: modifying({ ProductKey: '' }),
    says: ['ProductKey is empty', 'ProductKey = ""'],
    toPass: 'send the parameter as the message says',
  },
  'iot.prod.InvalidFormattedProductkey': {
    send: modifying({ ProductKey: 'a b' }),
    says: ['1 to 64 letters or digits', 'ProductKey = "a b"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.prod.NotExistedProduct': {
    send: (bench) => bench.claim(URL_OF_NONE, { ProductKey: 'pk2', IotInstanceId: 'iot-1' }, SHOP),
    says: ['must be one of pk1', 'ProductKey = "pk2"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.InvalidGenerateOTAUploadURLParam': {
    send: calling(GENERATE, { FileSuffix: 'exe' }),
    says: ['one of bin, dav, apk', 'FileSuffix = "exe"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.NullFirmwareName': {
    send: createOf(URL_OF_NONE, { FirmwareName: '' }),
    says: ['FirmwareName = ""', '1 to 40'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.BlankFirmwareName': {
    send: createOf(URL_OF_NONE, { FirmwareName: '  ' }),
    says: ['nothing but spaces', 'FirmwareName = "  "', '1 to 40'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.IncorrectFormattedFirmwareName': {
    send: createOf(URL_OF_NONE, { FirmwareName: 'a\u0007' }),
    says: ['beginning with a letter or digit', 'FirmwareName = "a\\u0007"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.AlreadyExistedFirmwareName': {
    send: (bench) => twice(bench, { FirmwareName: 'taken' }),
    says: ['A firmware package named taken exists already', 'has the name, with version 1.'],
    toPass: 'another name',
  },
  'iot.firmware.NullFirmwareVersion': {
    send: createOf(URL_OF_NONE, { DestVersion: '' }),
    says: ['DestVersion = ""', '1 to 64'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.IncorrectFormattedFirmwareVersion': {
    send: createOf(URL_OF_NONE, { DestVersion: 'v 1' }),
    says: ['1 to 64 letters', 'DestVersion = "v 1"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.AlreadyExistedFirmwareVersion': {
    send: (bench) => twice(bench, { DestVersion: '9.9', ProductKey: 'pk1' }),
    says: ['Version 9.9 of module default exists already in product pk1'],
    toPass: 'another version',
  },
  'iot.firmware.IncorrectFormattedSrcVersion': {
    send: createOf(URL_OF_NONE, { SrcVersion: 'v 1' }),
    says: ['1 to 64 letters', 'SrcVersion = "v 1"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.SrcVersionIsMandatory': {
    send: createOf(URL_OF_NONE, { Type: '1' }),
    says: ['SrcVersion is mandatory', 'Type = "1"'],
    toPass: 'send SrcVersion',
  },
  'iot.firmware.SrcDestVersionMatched': {
    send: createOf(URL_OF_NONE, { Type: '1', SrcVersion: '2', DestVersion: '2' }),
    says: ['must differ; both are 2'],
    toPass: 'SrcVersion',
  },
  'iot.firmware.IncorrectFormattedModuleName': {
    send: createOf(URL_OF_NONE, { ModuleName: 'a b' }),
    says: ['1 to 64 letters', 'ModuleName = "a b"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.FirmwareDescriptionExceedMaxLength': {
    send: createOf(URL_OF_NONE, { FirmwareDesc: 'd'.repeat(101) }),
    says: ['at most 100 characters', 'FirmwareDesc = "ddd'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.InvalidFirmwareType': {
    send: createOf(URL_OF_NONE, { Type: '2' }),
    says: ['one of 0, 1', 'Type = "2"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.InvalidFirmwareSize': {
    send: creating({ FirmwareSize: 9 }),
    says: ['says 9, but the stored file has 8'],
    toPass: 'send size and digest of the file that was uploaded',
  },
  'iot.firmware.InvalidFirmwareSign': {
    send: creating({ FirmwareSign: '0'.repeat(32) }),
    says: [`says ${'0'.repeat(32)}, but the stored file has `],
    toPass: 'send size and digest of the file that was uploaded',
  },
  'iot.firmware.InvalidFirmwareSignMethod': {
    send: createOf(URL_OF_NONE, { SignMethod: 'CRC' }),
    says: ['one of MD5, SHA256', 'SignMethod = "CRC"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.ParameterSizeExceedMax': {
    send: createOf('', { FirmwareUrl: '', 'MultiFiles.21.Name': 'a' }),
    says: ['20', 'MultiFiles.21.Name = "a"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.NullFirmwareUrl': {
    send: createOf(''),
    says: ['FirmwareUrl is empty', 'FirmwareUrl = ""'],
    toPass: 'FirmwareUrl',
  },
  'iot.firmware.MalformedFirmwareUrl': {
    send: createOf('ftp://user:secret@a/b?Signature=secret'),
    says: ['must be an http or https URL', 'FirmwareUrl = "ftp://a/b?..."'],
    toPass: 'send FirmwareUrl exactly as GenerateOTAUploadURL returned it',
  },
  'iot.firmware.InvalidFirmwareUrl': {
    send: createOf(URL_OF_NONE),
    says: ['no such URL was issued to this account', `FirmwareUrl = "${URL_OF_NONE}"`],
    toPass: 'send FirmwareUrl exactly as GenerateOTAUploadURL returned it',
  },
  'iot.firmware.EmptyFirmwareFile': {
    send: async (bench) => bench.claim(await bench.upload('')),
    says: ['it has 0 bytes'],
    toPass: 'upload a file that is not empty',
  },
  'iot.firmware.FirmwareCountExceedMax': {
    send: async ({ oss: { clock, gateway }, ...bench }) => {
      clock.advance({ seconds: 2 });
      await gateway.seed({ state: 'claimed' });
      clock.advance({ seconds: 2 });
      const { firmwareUrl } = await gateway.seed({ state: 'stored' });
      clock.advance({ seconds: 2 });
      await bench.claim(firmwareUrl);
    },
    says: ['There are 1 firmware packages already', 'OTA_GATEWAY_MAX_PACKAGES'],
    toPass: 'raise the limit that is named',
    by: 'tight',
  },
  'iot.firmware.SystemBusy': { unreachable: 'needs the time of a digest' },
  'iot.firmware.NullFirmwareId': {
    send: modifying({ FirmwareId: '' }),
    says: ['FirmwareId is empty', 'FirmwareId = ""'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.InvalidFirmwareId': {
    send: modifying({ FirmwareId: 'a b' }),
    says: ['1 to 64 letters or digits', 'FirmwareId = "a b"'],
    toPass: 'send the parameter as the message says',
  },
  'iot.firmware.FirmwareNotFound': {
    send: calling('QueryOTAFirmware', { FirmwareId: 'none' }),
    says: ['The firmware package none does not exist'],
    toPass: 'ota-gateway ls packages',
  },
  'iot.firmware.FirmwareAndProductKeyMismatch': {
    send: async ({ oss: { gateway }, ...bench }) => {
      const firmwareUrl = await bench.upload();
      const { firmwareId } = await gateway.apiAs(OPS).createOTAFirmware({
        ...{ firmwareName: 'product', destVersion: '7', firmwareUrl, productKey: 'pk1' },
      });
      await bench.call('ModifyOTAFirmware', { FirmwareId: firmwareId, ProductKey: 'pk9' });
    },
    says: ['belongs to product pk1, not pk9'],
    toPass: 'send the parameter as the message says',
  },
  'iot.ota.FirmwareNotFound': {
    send: modifying({ FirmwareId: 'none' }),
    says: ['FirmwareId was none'],
    toPass: 'ota-gateway ls packages',
  },
};

/** Other causes of a code. What follows the code in a name tells them apart. */
export const MORE_ROWS: Readonly<Record<string, Row>> = {
  'iot.firmware.InvalidFirmwareUrl too late': {
    send: async ({ oss: { clock, gateway }, ...bench }) => {
      clock.advance({ seconds: 2 });
      const { firmwareUrl } = await gateway.seed({ state: 'stored' });
      clock.advance({ minutes: 61 });
      await bench.claim(firmwareUrl);
    },
    says: ['too late: the firmware package had to be created before 2026-01-02T04:'],
    toPass: 'call CreateOTAFirmware before the deadline (OTA_GATEWAY_CLAIM_TTL)',
    by: 'tight',
  },
  'iot.firmware.InvalidFirmwareUrl taken': {
    send: async (bench) => {
      const url = await bench.upload();
      await bench.claim(url, { FirmwareName: 'holder' });
      await bench.claim(url);
    },
    says: ['the file belongs to the firmware package holder already'],
    toPass: 'use the package that has it',
  },
  'iot.firmware.InvalidFirmwareUrl without a file': {
    send: async (bench) => {
      const { firmwareUrl } = await bench.oss.gateway.apiAs(OPS).generateOTAUploadURL();
      await bench.claim(firmwareUrl);
    },
    says: ['it was issued, but nothing has been uploaded to it'],
    toPass: 'post a file to it first',
  },
};
