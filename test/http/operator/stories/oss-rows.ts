import { request as requestHttp } from 'node:http';
import type { OssErrorName } from '../../../../src/oss/errors.ts';
import { addCondition, BUCKET, NOW } from '../../oss/post/form.ts';
import type { Form } from '../../oss/post/form.ts';
import { named } from '../../oss/post/refusal.ts';
import { OPS, SMALL, signedPath } from './bench.ts';
import type { Bench } from './bench.ts';
import type { Row, Rows } from './row.ts';

const KEY = 'dir/firmware.bin';
const SECONDS = NOW / 1000;

type Change = (form: Form) => unknown;

const field =
  (name: string, value: string): Change =>
  (form) =>
    form.fields.set(name, value);

const posting =
  (change: Change): Row['send'] =>
  (bench) =>
    bench.form(change);

const postingV4 =
  (change: Change): Row['send'] =>
  (bench) =>
    bench.formV4(change);

const reading =
  (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Row['send'] =>
  (bench) =>
    bench.send({ method, path, headers });

const calling = (settings: Readonly<Record<string, string>>, text?: string): Row['send'] =>
  posting((form) => {
    const callback = { callbackUrl: 'http://127.0.0.1:1/', callbackBody: 'a=1', ...settings };
    const json = Buffer.from(JSON.stringify(callback)).toString('base64');
    form.fields.set('callback', text ?? json);
    addCondition(form, ['starts-with', '$callback', '']);
  });

/** Reads an object that is stored. */
const readingStored =
  (headers: Readonly<Record<string, string>>, ossHeaders = ''): Row['send'] =>
  async (bench) => {
    const { pathname } = new URL(await bench.upload('firmware'));
    const path = signedPath('GET', pathname.slice(1), SECONDS + 60, {}, ossHeaders);
    await bench.send({ path, headers });
  };

/** Posts again to the key of an upload. */
async function postAgain(bench: Bench, isClaimed: boolean): Promise<void> {
  const { gateway } = bench.oss;
  const grant = await gateway.apiAs(OPS).generateOTAUploadURL();
  await gateway.postObject(grant, 'firmware');
  if (isClaimed) await bench.claim(grant.firmwareUrl);
  await gateway.postObject(grant, 'again', { fields: { 'x-oss-forbid-overwrite': 'true' } });
}

/** Sends a body that is shorter than announced. */
async function sendShort({ oss }: Bench): Promise<void> {
  const socket = await oss.dial();
  socket.on('error', () => undefined);
  const path = signedPath('PUT', KEY, SECONDS + 60);
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nfirmware\r\nnonsense\r\n`,
  );
  await new Promise((resolve) => socket.once('close', resolve).resume());
}

/** Sends a request that announces no body. */
function sendWithoutLength({ oss }: Bench): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' };
    const request = requestHttp(
      { host: '127.0.0.1', port: oss.port, method: 'POST', headers },
      (response) => response.resume().once('end', resolve),
    );
    request.removeHeader('Transfer-Encoding');
    request.useChunkedEncodingByDefault = false;
    request.on('error', reject).end();
  });
}

const AS_RETURNED = 'send the fields exactly as GenerateOTAUploadURL returned them';
const V4_HEADER = (credential: string): Record<string, string> => ({
  'x-oss-date': '20260102T030405Z',
  'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
  Authorization: `OSS4-HMAC-SHA256 Credential=${credential},Signature=0`,
});
const v4Url = (change: Readonly<Record<string, string>>): string =>
  `/${KEY}?${new URLSearchParams({
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': 'bucketid/20260102/cn-shanghai/oss/aliyun_v4_request',
    'x-oss-date': '20260102T030405Z',
    'x-oss-expires': '60',
    'x-oss-signature': '0',
    ...change,
  }).toString()}`;

const CALLBACK_CONFIG = 'Base64 of JSON with callbackUrl and callbackBody';

/** A request for every error of the OSS host that a client can cause. */
export const OSS_ROWS: Rows<OssErrorName> = {
  AccessDenied: { unreachable: 'only an injected fault has this default' },
  'AccessDenied.anonymousForm': {
    send: posting((form) => (form.sign = 'none')),
    says: ['fields before the file: key', 'no signature'],
    toPass: AS_RETURNED,
  },
  'AccessDenied.anonymousRead': {
    send: reading(`/${KEY}`),
    says: ['because of bucket acl', 'no signature'],
    toPass: 'sign the request',
  },
  'AccessDenied.anonymousWrite': {
    send: reading(`/${KEY}`, {}, 'DELETE'),
    says: ['Anonymous access is forbidden', 'no signature'],
    toPass: 'sign the request',
  },
  'AccessDenied.conditionFailed': {
    send: posting(field('key', 'dir/Firmware.bin')),
    says: [
      'notMet|["eq", "$key", "dir/firmware.bin"]',
      'sent key = "dir/Firmware.bin"; first difference at character 5: "F" instead of "f"',
      'met|["eq", "$bucket", "iotx-ota"]',
      '1 of 3 conditions is not met',
    ],
    toPass: AS_RETURNED,
  },
  'AccessDenied.conditionWithoutField': {
    send: posting((form) => {
      addCondition(form, ['eq', '$x-oss-meta-tag', 'red']);
    }),
    says: ['notMet|["eq", "$x-oss-meta-tag", "red"]', 'x-oss-meta-tag was not sent'],
    toPass: AS_RETURNED,
  },
  'AccessDenied.dateMissing': {
    send: reading(`/${KEY}`, { Authorization: 'OSS bucketid:x', Date: 'now' }),
    says: ['date of the client: now', 'clock of the gateway: 2026-01-02T03:04:05'],
    toPass: 'Date',
  },
  'AccessDenied.expired': {
    send: reading(signedPath('GET', KEY, SECONDS - 60)),
    says: ['valid until 2026-01-02T03:03:05.000Z', 'clock of the gateway: 2026-01-02T03:04:05'],
    toPass: 'make a new URL',
  },
  'AccessDenied.expiresMalformed': {
    send: reading(`/${KEY}?OSSAccessKeyId=bucketid&Expires=soon&Signature=x`),
    says: ['sent Expires = "soon"', 'seconds since epoch'],
    toPass: 'Unix seconds',
  },
  'AccessDenied.fieldsNotInPolicy': {
    send: postingV4((form) => {
      form.policy.conditions = [{ bucket: 'iotx-ota' }];
    }),
    says: ['Extra input fields: x-oss-signature-version, x-oss-credential, x-oss-date'],
    toPass: 'a condition for',
  },
  'AccessDenied.callbackNotInPolicy': {
    send: posting(field('callback', 'e30=')),
    says: ['Extra input fields: callback'],
    toPass: 'OTA_GATEWAY_UNSIGNED_CALLBACKS',
  },
  'AccessDenied.limit': {
    send: async ({ oss: { gateway } }) => {
      const grant = await gateway.apiAs(SMALL).generateOTAUploadURL();
      await gateway.postObject(grant, 'firmware');
    },
    says: ['The limit is 4 (OTA_GATEWAY_MAX_ACCOUNT_BYTES, or maxBytes in the accounts file)'],
    toPass: 'raise the limit that is named',
  },
  'AccessDenied.notYetValid': {
    send: reading(v4Url({ 'x-oss-date': '20260102T040405Z' })),
    says: ['date of the client: 20260102T040405Z', 'clock of the gateway: 2026-01-02T03:04:05'],
    toPass: 'set the clock of the client',
  },
  'AccessDenied.policyExpired': {
    send: posting((form) => (form.policy.expiration = '2026-01-02T03:04:00.000Z')),
    says: [
      'expired 2026-01-02T03:04:00.000Z',
      'arrived 2026-01-02T03:04:05.000Z, 5.0 s after that',
    ],
    toPass: 'call GenerateOTAUploadURL again',
  },
  'AccessDenied.publicAcl': {
    send: posting(field('x-oss-object-acl', 'public-read')),
    says: ['sent x-oss-object-acl = "public-read"', 'OTA_GATEWAY_PUBLIC_READ'],
    toPass: 'OTA_GATEWAY_PUBLIC_READ',
  },
  'AccessDenied.urlParameters': {
    send: reading(`/${KEY}?OSSAccessKeyId=bucketid&Expires=1`),
    says: ['missing: Signature', 'requires the Signature, Expires and OSSAccessKeyId'],
    toPass: 'the whole URL',
  },
  AccessForbidden: {
    send: reading(
      '/',
      { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST' },
      'OPTIONS',
    ),
    says: [
      'sent Origin = "https://a.example"',
      'sent Access-Control-Request-Method = "POST"',
      'OTA_GATEWAY_CORS_RULES has no rule',
      '"allowedOrigins":["https://a.example"]',
    ],
    toPass: 'OTA_GATEWAY_CORS_RULES',
  },
  BadRequest: {
    send: reading('/', {}, 'OPTIONS'),
    says: ['Origin request header needed', 'no Origin was sent'],
    toPass: 'Origin and Access-Control-Request-Method',
  },
  'BadRequest.requestMethod': {
    send: reading('/', { Origin: 'https://a.example' }, 'OPTIONS'),
    says: ['sent Origin = "https://a.example"', 'Access-Control-Request-Method header needed'],
    toPass: 'Origin and Access-Control-Request-Method',
  },
  CallbackFailed: {
    send: calling({}),
    says: ['can not connect to your callbackUrl', 'the file is stored'],
    toPass: 'let the server of the callback answer 200 with JSON',
  },
  'CallbackFailed.address': {
    unreachable: 'a name has to resolve to a private address after it was allowed',
  },
  'CallbackFailed.notJson': { unreachable: 'like CallbackFailed; needs a server' },
  'CallbackFailed.status': { unreachable: 'like CallbackFailed; needs a server' },
  'CallbackFailed.tooLarge': { unreachable: 'like CallbackFailed; needs a server' },
  'CallbackFailed.withoutLength': { unreachable: 'like CallbackFailed; needs a server' },
  EntityTooLarge: {
    send: posting((form) => (form.file = Buffer.alloc(1001))),
    says: ['sent 1,001 bytes', 'allowed at most 1,000 bytes', 'by the policy'],
    toPass: 'send a smaller file',
  },
  EntityTooSmall: {
    send: posting((form) => addCondition(form, ['content-length-range', 100, 1000])),
    says: ['sent 8 bytes', 'allowed at least 100 bytes'],
    toPass: 'send a file that has at least the size of the policy',
  },
  FieldItemTooLong: {
    send: posting((form) => form.before.push(named('n'.repeat(8193)))),
    says: ['allowed at most 8,192 bytes', 'sent 8,193 bytes'],
    toPass: 'shorten the field',
  },
  'FieldItemTooLong.value': {
    send: posting(field('big', 'x'.repeat(2 * 1024 * 1024 + 1))),
    says: ['allowed at most 2,097,152 bytes', 'fields before the file: key'],
    toPass: 'shorten the field',
  },
  FileAlreadyExists: {
    send: (bench) => postAgain(bench, false),
    says: ['already exists', 'key: ota/'],
    toPass: 'send no x-oss-forbid-overwrite',
  },
  FileImmutable: {
    send: (bench) => postAgain(bench, true),
    says: ['is immutable', 'key: ota/'],
    toPass: 'a firmware package has this file',
  },
  IncompleteBody: {
    send: sendShort,
    says: ['number of bytes specified'],
    toPass: 'send the whole request',
  },
  'IncompleteBody.lost': { unreachable: 'needs a host application that reads the body' },
  IncorrectNumberOfFilesInPOSTRequest: {
    send: posting((form) => {
      form.fileHeaders = ['Content-Disposition: form-data; name="firmware"; filename="a.bin"'];
    }),
    says: [
      'exactly one file',
      'fields before the file: key, policy, ossaccesskeyid, signature, firmware',
      'no part is named file',
    ],
    toPass: 'one part named file, as the last one',
  },
  'IncorrectNumberOfFilesInPOSTRequest.second': {
    send: posting((form) => form.after.push(named('file'))),
    says: ['exactly one file', 'a second part is named file'],
    toPass: 'one part named file, as the last one',
  },
  InternalError: {
    send: async (bench) => {
      const { ledger } = bench.oss.gateway.records;
      const broken = jest.spyOn(ledger, 'findUpload').mockRejectedValueOnce(new Error('broken'));
      await bench.send({ path: signedPath('GET', KEY, SECONDS + 60) });
      broken.mockRestore();
    },
    says: ['We encountered an internal error'],
    toPass: 'look for the id of the request in the log',
  },
  'InternalError.diskFull': {
    send: posting((form) => {
      form.policy.conditions = [{ bucket: BUCKET }];
      // Also a store in the network needs the disk for it.
      form.file = Buffer.alloc(600_000);
    }),
    says: ['There is not enough free space', 'OTA_GATEWAY_MIN_FREE'],
    toPass: 'make room on the disk of the data folder',
    by: 'full',
  },
  InvalidAccessKeyId: {
    send: posting(field('OSSAccessKeyId', OPS.id)),
    says: [
      'sent access key ...-key',
      'this is the key of an account; the key of the bucket is expected (Data.OSSAccessKeyId)',
    ],
    toPass: 'use the OSSAccessKeyId that GenerateOTAUploadURL returned',
  },
  InvalidArgument: { unreachable: 'only an injected fault has this default' },
  'InvalidArgument.accessKeyIdEmpty': {
    send: posting(field('OSSAccessKeyId', '')),
    says: ['OSSAccessKeyId was sent empty', 'fields before the file: key, ossaccesskeyid, policy'],
    toPass: AS_RETURNED,
  },
  'InvalidArgument.accessKeyIdMissing': {
    send: posting((form) => {
      form.sign = 'none';
      form.fields.set('policy', 'e30=').set('Signature', 'x');
    }),
    says: ['OSSAccessKeyId was not sent', 'fields before the file: key, policy, signature'],
    toPass: AS_RETURNED,
  },
  'InvalidArgument.acl': {
    send: posting(field('x-oss-object-acl', 'everyone')),
    says: ['sent x-oss-object-acl = "everyone"', 'one of default, private, public-read'],
    toPass: 'x-oss-object-acl',
  },
  'InvalidArgument.additionalHeaders': {
    send: reading(v4Url({ 'x-oss-additional-headers': '' })),
    says: ['x-oss-additional-headers', 'It must not be empty'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.authorization': {
    send: reading(`/${KEY}`, { Authorization: 'Bearer of-something' }),
    says: ['The Authorization header is invalid'],
    toPass: 'OSS <AccessKeyId>:<signature>',
  },
  'InvalidArgument.callbackAddress': {
    send: calling({ callbackUrl: 'http://10.0.0.1/' }),
    says: ['Private address is forbidden', 'the host of the callback: 10.0.0.1'],
    toPass: 'OTA_GATEWAY_CALLBACK_HOSTS',
  },
  'InvalidArgument.callbackBody': {
    send: posting((form) => {
      const callback = { callbackUrl: 'http://127.0.0.1:1/', callbackBody: '${x:a}'.repeat(600) };
      const text = Buffer.from(JSON.stringify(callback)).toString('base64');
      form.fields.set('x:a', 'a'.repeat(200)).set('callback', text);
      addCondition(form, ['starts-with', '$callback', '']);
    }),
    says: ['The length of callback body exceed max value'],
    toPass: '64 KiB',
  },
  'InvalidArgument.callbackBodyMissing': {
    send: calling({ callbackBody: '' }),
    says: ['The callback body is empty'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackBodyType': {
    send: calling({ callbackBodyType: 'text/plain' }),
    says: ['body type of callback is not supported'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackHost': {
    send: calling({ callbackUrl: 'http://127.0.0.1:1/', callbackHost: 'bad host' }),
    says: ['callback url configuration is invalid'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackNotBase64': {
    send: calling({}, '{}'),
    says: ['not base64 encoded'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackNotJson': {
    send: calling({}, 'aaaa'),
    says: ['not json format'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackTooLong': {
    send: calling({}, 'a'.repeat(5121)),
    says: ['length of callback exceed max value'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackUrl': {
    send: calling({ callbackUrl: 'ftp://a/' }),
    says: ['callback url configuration is invalid'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.callbackUrls': {
    send: calling({ callbackUrl: 'http://a/;'.repeat(6) }),
    says: ['number of callback url exceed max value'],
    toPass: CALLBACK_CONFIG,
  },
  'InvalidArgument.credential': {
    send: reading(v4Url({ 'x-oss-credential': 'bucketid' })),
    says: ['sent x-oss-credential = "bucketid"', '<AccessKeyId>/<YYYYMMDD>/<region>'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.credentialDate': {
    send: reading(`/${KEY}`, V4_HEADER('bucketid/20260101/cn-shanghai/oss/aliyun_v4_request')),
    says: ['sent x-oss-credential = "bucketid/20260101/', 'x-oss-date is 20260102T030405Z'],
    toPass: 'the day of x-oss-date',
  },
  'InvalidArgument.credentialProduct': {
    send: reading(`/${KEY}`, V4_HEADER('bucketid/20260102/cn-shanghai/s3/aliyun_v4_request')),
    says: ['Invalid signing product', '/cn-shanghai/s3/'],
    toPass: 'the product oss',
  },
  'InvalidArgument.credentialRegion': {
    send: reading(`/${KEY}`, V4_HEADER('bucketid/20260102/cn-hangzhou/oss/aliyun_v4_request')),
    says: ['Invalid signing region', '/cn-hangzhou/oss/', 'the region is cn-shanghai'],
    toPass: 'OTA_GATEWAY_REGION',
  },
  'InvalidArgument.date': {
    send: reading(v4Url({ 'x-oss-date': 'today' })),
    says: ['sent x-oss-date = "today"', 'It must be YYYYMMDDTHHMMSSZ'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.encryptionKey': {
    send: posting(field('x-oss-server-side-encryption-key-id', 'k1')),
    says: ['sent x-oss-server-side-encryption-key-id = "k1"', 'to be KMS'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.expires': {
    send: reading(v4Url({ 'x-oss-expires': '604801' })),
    says: ['sent x-oss-expires = "604801"', 'from 1 to 604800'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.fieldNotUtf8': {
    send: posting((form) => form.before.push(named('x-oss-meta-a', Buffer.from([0xff])))),
    says: ['The form field x-oss-meta-a is not encoded in UTF-8'],
    toPass: 'UTF-8',
  },
  'InvalidArgument.fieldTwice': {
    send: posting((form) =>
      form.before.push(named('x-oss-meta-a', '1'), named('x-oss-meta-a', '2')),
    ),
    says: ['x-oss-meta-a is specified more than once', 'sent x-oss-meta-a = "2"'],
    toPass: 'each field once',
  },
  'InvalidArgument.filePartHeader': {
    send: posting((form) => form.fileHeaders.push('X-Version: 1.0')),
    says: ['unrecognized field name', 'sent x-version = "1.0"'],
    toPass: 'only Content-Disposition and Content-Type',
    by: 'strict',
  },
  'InvalidArgument.formCredential': {
    send: postingV4(field('x-oss-credential', 'bucketid/20260102')),
    says: ['sent x-oss-credential = "bucketid/20260102"', '/oss/aliyun_v4_request'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.formCredentialDate': {
    send: postingV4(
      field('x-oss-credential', 'bucketid/20260101/cn-shanghai/oss/aliyun_v4_request'),
    ),
    says: ['the day of x-oss-date, 20260102T030405Z', 'bucketid/20260101/'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.formCredentialRegion': {
    send: postingV4(
      field('x-oss-credential', 'bucketid/20260102/cn-hangzhou/oss/aliyun_v4_request'),
    ),
    says: ['The region of the credential must be cn-shanghai', '/cn-hangzhou/'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.formDate': {
    send: postingV4(field('x-oss-date', 'today')),
    says: ['sent x-oss-date = "today"', 'YYYYMMDDTHHMMSSZ'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.formDateMissing': {
    send: postingV4((form) => form.fields.delete('x-oss-date')),
    says: ['x-oss-date was not sent', 'fields before the file: key'],
    toPass: 'all fields of a signature of version 4',
  },
  'InvalidArgument.formVersion': {
    send: postingV4(field('x-oss-signature-version', 'OSS2')),
    says: ['sent x-oss-signature-version = "OSS2"', 'must be OSS4-HMAC-SHA256'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.formVersionMissing': {
    send: postingV4((form) => form.fields.delete('x-oss-signature-version')),
    says: ['x-oss-signature-version was not sent'],
    toPass: 'all fields of a signature of version 4',
  },
  'InvalidArgument.headerCharacters': {
    send: posting(field('Cache-Control', 'a\u0001b')),
    says: ['The form field cache-control holds characters', 'sent cache-control = "a\\u0001b"'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.headersTooLarge': {
    send: posting(field('x-oss-meta-a', 'x'.repeat(8193))),
    says: ['exceeds 8192 bytes', 'sent x-oss-meta-a = "xxx'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.keyMissing': {
    send: posting((form) => {
      form.fields.delete('key');
      form.after.push(named('key', KEY));
    }),
    says: ["must contain the specified 'key'", 'fields before the file: policy, ossaccesskeyid'],
    toPass: 'send the field key before the file',
  },
  'InvalidArgument.policyMissing': {
    send: posting((form) => {
      form.sign = 'none';
      form.fields.set('OSSAccessKeyId', 'bucketid').set('Signature', 'x');
    }),
    says: ['policy was not sent', 'fields before the file: key, ossaccesskeyid, signature'],
    toPass: AS_RETURNED,
  },
  'InvalidArgument.queryTooLong': {
    send: reading(`/${KEY}?${'a&'.repeat(2000)}`),
    says: ['The query may have at most'],
    toPass: 'send fewer parameters',
  },
  'InvalidArgument.redirect': {
    send: posting(field('success_action_redirect', 'ftp://a/')),
    says: ['sent success_action_redirect = "ftp://a/"', 'http or https URL'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.redirectTooLong': {
    send: posting(field('success_action_redirect', `http://a/${'x'.repeat(10_000)}`)),
    says: ['sent success_action_redirect = "http://a/xx', 'at most'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.responseHeaders': {
    send: reading(
      signedPath('GET', KEY, SECONDS + 60, { 'response-content-type': 'x'.repeat(3000) }),
    ),
    says: ['exceed 2048 bytes with Content-Type'],
    toPass: 'shorten',
  },
  'InvalidArgument.signatureEmpty': {
    send: posting(field('Signature', '')),
    says: ['Signature was sent empty'],
    toPass: AS_RETURNED,
  },
  'InvalidArgument.signatureMissing': {
    send: posting((form) => {
      form.sign = 'none';
      form.fields.set('OSSAccessKeyId', 'bucketid').set('policy', 'e30=');
    }),
    says: ['Signature was not sent', 'fields before the file: key, ossaccesskeyid, policy'],
    toPass: AS_RETURNED,
  },
  'InvalidArgument.signedTwice': {
    send: reading(signedPath('GET', KEY, SECONDS + 60), { Authorization: 'OSS bucketid:x' }),
    says: ['signed more than once'],
    toPass: 'either in the Authorization header or in the URL',
  },
  'InvalidArgument.storageClass': {
    send: posting(field('x-oss-storage-class', 'Cold')),
    says: ['sent x-oss-storage-class = "Cold"', 'Standard, IA, Archive'],
    toPass: 'send the argument as the message says',
  },
  'InvalidArgument.version': {
    send: reading(v4Url({ 'x-oss-signature-version': 'OSS2' })),
    says: ['sent x-oss-signature-version = "OSS2"', 'It must be OSS4-HMAC-SHA256'],
    toPass: 'send the argument as the message says',
  },
  InvalidDigest: {
    send: posting((form) => (form.requestHeaders['Content-MD5'] = 'AAAAAAAAAAAAAAAAAAAAAA==')),
    says: ['sent Content-MD5 = "AAAAAAAAAAAAAAAAAAAAAA=="', 'the body has '],
    toPass: 'the MD5 of the whole body of the request',
  },
  'InvalidDigest.malformed': {
    send: posting((form) => (form.requestHeaders['Content-MD5'] = 'abc')),
    says: ['sent Content-MD5 = "abc"'],
    toPass: 'the MD5 of the whole body of the request',
  },
  InvalidEncryptionAlgorithmError: {
    send: posting(field('x-oss-server-side-encryption', 'ROT13')),
    says: ['sent x-oss-server-side-encryption = "ROT13"', 'AES256/SM4/KMS'],
    toPass: 'send the argument as the message says',
  },
  InvalidObjectName: {
    send: posting(field('key', '/a.bin')),
    says: ['sent key = "/a.bin"', 'must not begin with / or \\'],
    toPass: 'use the Key that GenerateOTAUploadURL returned',
  },
  'InvalidObjectName.empty': {
    send: posting(field('key', '')),
    says: ['can not be empty'],
    toPass: 'use the Key that GenerateOTAUploadURL returned',
  },
  'InvalidObjectName.tooLong': {
    send: posting(field('key', 'k'.repeat(1024))),
    says: ['must be less than 1024', 'sent key = "kkk'],
    toPass: 'use the Key that GenerateOTAUploadURL returned',
  },
  InvalidPolicyDocument: {
    send: posting((form) => (form.policy.conditions = [['like', '$key', 'a']])),
    says: ['one of eq, starts-with, in, not-in, content-length-range', 'found "like"'],
    toPass: 'send the policy as GenerateOTAUploadURL returned it',
  },
  InvalidRange: {
    send: readingStored(
      { Range: 'bytes=900-', 'x-oss-range-behavior': 'standard' },
      'x-oss-range-behavior:standard\n',
    ),
    says: ['sent Range = "bytes=900-"', 'the object has 8 bytes'],
    toPass: 'ask for a range inside of the object',
  },
  InvalidRequest: {
    send: reading(`/${KEY}?response-content-type=text/plain`),
    says: ['anonymous GET', 'sent response-content-type = "text/plain"'],
    toPass: 'sign the request',
  },
  MalformedPOSTRequest: {
    send: posting((form) => (form.contentType = 'multipart/form-data')),
    says: ['not well-formed', 'the Content-Type has no boundary'],
    toPass: 'let the HTTP library write Content-Type and boundary',
  },
  'MalformedPOSTRequest.fieldOrder': {
    send: posting((form) => form.after.push(named('Policy'))),
    says: ['the field Policy comes after the file'],
    toPass: 'send the file as the last part',
  },
  'MalformedPOSTRequest.partHeader': {
    send: posting((form) => form.before.push({ headers: ['X-A: b'], body: 'x' })),
    says: ['a part has no "Content-Disposition: form-data" with a name'],
    toPass: 'Content-Disposition',
  },
  'MalformedPOSTRequest.tooManyParts': {
    send: posting((form) => {
      for (let count = 0; count <= 1000; count += 1) form.before.push(named(`n${String(count)}`));
    }),
    says: ['more than 1000 parts', 'fields before the file: n0, n1'],
    toPass: 'send fewer fields',
  },
  MaxPOSTPreDataLengthExceededError: {
    send: posting((form) => {
      for (const name of ['a', 'b', 'c', 'd']) form.before.push(named(name, 'x'.repeat(2097152)));
      form.before.push(named('e', 'x'));
    }),
    says: ['allowed at most 8,388,608 bytes', 'fields before the file: a, b, c, d'],
    toPass: 'shorten the fields before the file',
  },
  MissingContentLength: {
    send: sendWithoutLength,
    says: ['must provide the Content-Length'],
    toPass: 'send Content-Length, or Transfer-Encoding: chunked',
  },
  MethodNotAllowed: {
    send: reading(`/${KEY}`, {}, 'PATCH'),
    says: ['sent method PATCH for Object', 'allowed: GET, HEAD, PUT, DELETE, OPTIONS'],
    toPass: 'POST to the root',
  },
  'MethodNotAllowed.form': {
    send: posting((form) => (form.contentType = '')),
    says: ['sent method POST for Bucket', 'must be multipart/form-data; boundary='],
    toPass: 'as multipart/form-data with a boundary',
  },
  NoSuchBucket: {
    send: reading('/k', { Host: 'other.oss-cn-shanghai.aliyuncs.com' }),
    says: ['bucket of the request: other', 'the bucket here is iotx-ota'],
    toPass: 'OTA_GATEWAY_BUCKET',
  },
  NoSuchKey: {
    send: reading(signedPath('GET', 'ota/none.bin', SECONDS + 60)),
    says: ['key: ota/none.bin'],
    toPass: 'ota-gateway show',
  },
  NotImplemented: {
    send: (bench) =>
      bench.send({
        method: 'PUT',
        path: signedPath('PUT', KEY, SECONDS + 60),
        headers: { 'If-Match': '"a"' },
        body: Buffer.from('x'),
      }),
    says: ['sent the header If-Match'],
    toPass: 'leave the header',
  },
  'NotImplemented.parameter': {
    send: reading(signedPath('GET', KEY, SECONDS + 60, { acl: '' })),
    says: ['The query parameter acl'],
    toPass: 'leave the parameter',
  },
  PreconditionFailed: {
    send: readingStored({ 'If-Match': '"other"' }),
    says: ['sent If-Match = "\\"other\\""'],
    toPass: 'look up the object again',
  },
  RequestIsNotMultiPartContent: {
    send: posting((form) => (form.contentType = 'text/plain')),
    says: ['sent Content-Type = "text/plain"', 'multipart/form-data'],
    toPass: 'let the HTTP library write Content-Type and boundary',
  },
  RequestTimeout: { unreachable: 'needs the time of OTA_GATEWAY_IDLE_TIMEOUT' },
  RequestTimeTooSkewed: {
    send: postingV4((form) => {
      form.fields
        .set('x-oss-date', '20251201T030405Z')
        .set('x-oss-credential', 'bucketid/20251201/cn-shanghai/oss/aliyun_v4_request');
    }),
    says: ['date of the client: 2025-12-01T03:04:05.000Z', '32 days behind', 'allowed: 7 days'],
    toPass: 'set the clock of the client',
  },
  'RequestTimeTooSkewed.header': {
    send: reading(`/${KEY}`, {
      Authorization: 'OSS bucketid:x',
      Date: 'Fri, 02 Jan 2026 02:04:05 GMT',
    }),
    says: ['date of the client: ', '60 min behind', 'allowed: 15 min'],
    toPass: 'set the clock of the client',
  },
  SecondLevelDomainForbidden: {
    send: reading(`/iotx-ota/${KEY}`),
    says: ['third level domain'],
    toPass: 'the bucket in the host',
    by: 'strict',
  },
  ServiceUnavailable: { unreachable: 'needs many requests at the same time' },
  'ServiceUnavailable.store': { unreachable: 'needs a store in the network' },
  'ServiceUnavailable.ledger': { unreachable: 'needs a ledger in the network' },
  SignatureDoesNotMatch: {
    send: posting((form) => {
      form.fields.set('Signature', 'bm90aGluZw==');
    }),
    says: ['the text to sign, as the gateway has read it', 'none of the known mistakes'],
    toPass: 'use Signature and OSSAccessKeyId as returned',
  },
  'SignatureDoesNotMatch.v1': {
    send: reading(signedPath('GET', 'other', SECONDS + 60).replace('/other', `/${KEY}`)),
    says: [`/iotx-ota/${KEY}`, 'none of the known mistakes'],
    toPass: 'sign with the secret that belongs to the access key',
  },
  'SignatureDoesNotMatch.v4': {
    send: reading(v4Url({})),
    says: ['OSS4-HMAC-SHA256', 'none of the known mistakes'],
    toPass: 'sign with the secret that belongs to the access key',
  },
};
