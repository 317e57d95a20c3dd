import type { RefusalRecord } from '../../refusals/refusal-record.ts';

const AS_RETURNED =
  'send the fields exactly as GenerateOTAUploadURL returned them: Key, Policy, OSSAccessKeyId, Signature';
const V4_FIELDS =
  'send all fields of a signature of version 4: policy, x-oss-signature-version, x-oss-credential, x-oss-date, x-oss-signature';
const MULTIPART =
  'let the HTTP library write Content-Type and boundary: multipart/form-data, each part closed by the boundary';
const ONE_FILE = 'send one part named file, as the last one';
const CALLBACK =
  'send Base64 of JSON with callbackUrl and callbackBody, as the OSS page "Callback" has it; callback-related settings are in docs/settings.md';
const ARGUMENT = 'send the argument as the message says';

/** What to do about one code of several that have the same reason. A key is a code, or a code and an EC. */
const BY_CODE: Readonly<Record<string, string>> = {
  'AccessDenied 0002-00000503':
    'send a Date header, or x-oss-date, with the time of now, such as Fri, 02 Jan 2026 03:04:05 GMT',
  'AccessDenied 0002-00000070': 'send Expires in Unix seconds',
  'InvalidArgument 0002-00000701': ARGUMENT,
  'InvalidArgument 0002-00000702': AS_RETURNED,
  'InvalidArgument 0002-00000703': AS_RETURNED,
  'InvalidArgument 0002-00000704': AS_RETURNED,
  'InvalidArgument 0002-00000706': AS_RETURNED,
  'InvalidArgument 0002-00000707': AS_RETURNED,
  'InvalidArgument 0002-00000226':
    'sign with the region of OTA_GATEWAY_REGION, without the prefix oss-',
  'InvalidArgument 0002-00000227': 'sign with the product oss',
  FieldItemTooLong: 'shorten the field: a name may have 8 KiB, a value 2 MiB',
  IncorrectNumberOfFilesInPOSTRequest: ONE_FILE,
  InvalidArgument: ARGUMENT,
  InvalidDigest:
    'send the MD5 of the whole body of the request in Base64 as Content-MD5, or leave the header out',
  InvalidEncryptionAlgorithmError: ARGUMENT,
  InvalidAccessKeyId: 'use the OSSAccessKeyId that GenerateOTAUploadURL returned',
  InvalidRange: 'ask for a range inside of the object',
  InvalidRequest: 'sign the request, or leave the parameter out',
  BadRequest: 'send the headers Origin and Access-Control-Request-Method, as browsers do',
  MalformedPOSTRequest: MULTIPART,
  'MalformedPOSTRequest 0006-00000103': 'send the file as the last part',
  'MalformedPOSTRequest 0006-00000109':
    'begin each part with Content-Disposition: form-data; name="..."',
  MaxPOSTPreDataLengthExceededError: 'shorten the fields before the file',
  MethodNotAllowed:
    'POST to the root of the bucket, as multipart/form-data with a boundary, or use an allowed method on an object',
  MissingContentLength: 'send Content-Length, or Transfer-Encoding: chunked',
  NoSuchBucket: 'address the bucket of OTA_GATEWAY_BUCKET',
  RequestIsNotMultiPartContent: MULTIPART,
  SecondLevelDomainForbidden:
    'write the bucket in the host, http://<bucket>.<host>/, or set OTA_GATEWAY_FIDELITY=lenient',

  IncompleteSignature: 'write the header Authorization as the message says',
  'InvalidAccessKeyId.NotFound': 'use an access key of `ota-gateway accounts ls`',
  'InvalidAction.NotFound': 'use one of these operations; names are case-sensitive',
  'InvalidParameter.Format': 'send Format=JSON or XML, or none',
  InvalidSignatureMethod:
    'sign with HMAC-SHA1 and SignatureVersion 1.0, or with ACS3-HMAC-SHA256 in the header Authorization',
  'InvalidTimeStamp.Format': 'write the date as YYYY-MM-DDThh:mm:ssZ, in UTC',
  RequestBodyTooLarge: 'shorten the call; a file is posted with the signed form',
  UnsupportedHTTPMethod: 'call with GET or POST',
  SignInRefused:
    'sign in with an access key of `ota-gateway accounts ls` that is not disabled, and with its own secret',
  ChallengeExpired:
    'sign in again; nodes behind one address need the same time, within a minute, and the same bucket key',
  TooManyTries: 'wait for the time of Retry-After',
  TemporaryKey: 'sign in with a permanent access key',
  ForeignPage:
    'open the console at the address of the gateway; behind a proxy that changes the Host header, set OTA_GATEWAY_PUBLIC_URL',

  'iot.firmware.AlreadyExistedFirmwareName': 'use the package that has the name, or another name',
  'iot.firmware.AlreadyExistedFirmwareVersion':
    'use the package of this version, or another version',
  'iot.firmware.EmptyFirmwareFile': 'upload a file that is not empty',
  'iot.firmware.FirmwareNotFound': 'look up the id with `ota-gateway ls packages`',
  'iot.firmware.MalformedFirmwareUrl':
    'send FirmwareUrl exactly as GenerateOTAUploadURL returned it',
  'iot.firmware.NullFirmwareUrl': 'send FirmwareUrl exactly as GenerateOTAUploadURL returned it',
  'iot.firmware.SrcDestVersionMatched':
    'send as SrcVersion the version before the update, as DestVersion the one after it',
  'iot.firmware.SrcVersionIsMandatory': 'send SrcVersion, or Type=0 for a full package',
  'iot.ota.FirmwareNotFound': 'look up the id with `ota-gateway ls packages`',
  'iot.system.InstanceNotFound': 'send one of these as IotInstanceId',
};

/** What to do about causes of one code that only their messages tell apart. */
const BY_MESSAGE: readonly { readonly code: string; readonly text: RegExp; readonly do: string }[] =
  [
    {
      code: 'AccessDenied',
      text: /^Anonymous user/,
      do: AS_RETURNED,
    },
    {
      code: 'AccessDenied',
      text: /input fields: callback$/,
      do: 'sign a policy with a condition for callback, or set OTA_GATEWAY_UNSIGNED_CALLBACKS=on',
    },
    {
      code: 'AccessDenied',
      text: /^The object ACL/,
      do: 'leave x-oss-object-acl out, or set OTA_GATEWAY_PUBLIC_READ=on',
    },
    {
      code: 'AccessDenied',
      text: /^Query string authentication/,
      do: 'use the whole URL as it was signed',
    },
    {
      code: 'InvalidArgument',
      text: /no such object access control/,
      do: 'send a known x-oss-object-acl, or none',
    },
    {
      code: 'InvalidArgument',
      text: /^The Authorization header/,
      do: 'send Authorization: OSS <AccessKeyId>:<signature>, or OSS4-HMAC-SHA256 Credential=...,Signature=...',
    },
    {
      code: 'InvalidArgument',
      text: /^Private address/,
      do: 'name the host in OTA_GATEWAY_CALLBACK_HOSTS, or use a public one',
    },
    {
      code: 'InvalidArgument',
      text: /^The length of callback body/,
      do: 'let the body of the callback have at most 64 KiB',
    },
    { code: 'InvalidArgument', text: /callback/i, do: CALLBACK },
    {
      code: 'InvalidArgument',
      text: /^Invalid signing date/,
      do: 'write the day of x-oss-date into the credential',
    },
    { code: 'InvalidArgument', text: /UTF-8/, do: 'encode names and values in UTF-8' },
    {
      code: 'InvalidArgument',
      text: /specified more than once/,
      do: 'send each field once',
    },
    {
      code: 'InvalidArgument',
      text: /unrecognized field name/,
      do: 'send only Content-Disposition and Content-Type in the head of the file part',
    },
    {
      code: 'InvalidArgument',
      text: /^Post request x-oss-/,
      do: V4_FIELDS,
    },
    {
      code: 'InvalidArgument',
      text: /'key'/,
      do: 'send the field key before the file',
    },
    {
      code: 'InvalidArgument',
      text: /^The query may have/,
      do: 'send fewer parameters',
    },
    {
      code: 'InvalidArgument',
      text: /^The response headers/,
      do: 'shorten the parameters response-...',
    },
    {
      code: 'InvalidArgument',
      text: /^The request is signed more/,
      do: 'sign either in the Authorization header or in the URL',
    },
    {
      code: 'iot.firmware.InvalidFirmwareUrl',
      text: /nothing has been uploaded/,
      do: 'post a file to it first, with the form that GenerateOTAUploadURL returned',
    },
    { code: 'MalformedPOSTRequest', text: /more than \d+ parts/, do: 'send fewer fields' },
    {
      code: 'NotImplemented',
      text: /^The query parameter/,
      do: 'leave the parameter out; docs/fidelity.md lists what there is',
    },
    {
      code: 'NotImplemented',
      text: /^A header/,
      do: 'leave the header out; docs/fidelity.md lists what there is',
    },
  ];

/** @returns what to do about the code of a refusal; undefined where its reason says enough */
export function toPassOf({ code, ec, message }: RefusalRecord): string | undefined {
  const byMessage = BY_MESSAGE.find((each) => each.code === code && each.text.test(message));
  if (byMessage !== undefined) return byMessage.do;
  const missing = MISSING.exec(message)?.[1];
  if (missing !== undefined) return `send ${missing}`;
  return BY_CODE[`${code} ${ec ?? ''}`] ?? BY_CODE[code];
}

const MISSING = /^(?:Specified header )?(\S+) is mandatory for this action\.$/;
