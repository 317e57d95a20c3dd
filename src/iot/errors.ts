import type { RefusalReason } from '../refusals/refusal-reason.ts';
import { fill } from '../lib/template.ts';
import type { Placeholder, Values } from '../lib/template.ts';

/*
 * The refusals of the API: one table for each layer. `{...}` is filled in when the error is made.
 * Messages are for people; programs should compare codes.
 */

/**
 * Refusals of the layer in front of the operations: an HTTP status, and `Code` and `Message` in the body. Codes,
 * statuses and first sentences are those of Alibaba Cloud ("Common errors", "API Error Center", and responses quoted
 * in issues of its SDKs); the sentences after the first one are ours.
 */
export const GATEWAY_ERRORS = {
  UnsupportedHTTPMethod: {
    status: 400,
    reason: 'unsupported',
    message:
      'This http method is not supported. Calls are made with GET or POST, not with {method}.',
  },
  'Missing{name}': { status: 400, message: '{name} is mandatory for this action.' },
  /** Only for signature V3 (apache/paimon#9937). */
  MissingHeader: {
    status: 400,
    message: 'Specified header {name} is mandatory for this action.',
  },
  InvalidParameter: {
    status: 400,
    message: 'The specified value of parameter "{name}" is not valid. {reason}',
  },
  'Invalid{name}': { status: 400, message: 'Specified parameter {name} is not valid. {reason}' },
  'InvalidParameter.Format': {
    status: 400,
    message: 'Specified parameter format is not valid. Expected JSON or XML, found {found}.',
  },
  /** Status from openapi-sdk-php-client#230. */
  'InvalidAction.NotFound': {
    status: 404,
    reason: 'unsupported',
    message:
      'Specified api is not found, please check your url and method. There is no {action}; there are {actions}.',
  },
  InvalidSignatureMethod: {
    status: 400,
    message: 'Specified signature method is not valid. Expected {expected}, found {found}.',
  },
  /** Status from aliyun-exporter#36 and aliyun-ddns-cli#24. */
  'InvalidAccessKeyId.NotFound': {
    status: 404,
    reason: 'unknown_access_key',
    message: 'Specified access key is not found.{hint}',
  },
  'InvalidAccessKeyId.Inactive': {
    status: 400,
    reason: 'disabled_access_key',
    message: 'Specified access key is disabled.',
  },
  /** The two codes of security tokens are constants of the SDKs; their statuses and texts are unverified. */
  'InvalidSecurityToken.Expired': {
    status: 400,
    reason: 'security_token',
    message: 'Specified SecurityToken is expired. It has expired at {expiresAt}.',
  },
  'InvalidSecurityToken.MismatchWithAccessKey': {
    status: 400,
    reason: 'security_token',
    message:
      'Specified SecurityToken mismatch with the AccessKey. Send the token that was issued together with this key.',
  },
  'InvalidTimeStamp.Format': {
    status: 400,
    reason: 'clock_skew',
    message:
      'Specified time stamp or date value is not well formatted. Expected {expected}, found {found}.',
  },
  'InvalidTimeStamp.Expired': {
    status: 400,
    reason: 'clock_skew',
    message:
      'Specified time stamp or date value is expired. The time of the server is {now}, that of the call {sent}; they may differ by {allowed}.',
  },
  /** Status from alibaba-cloud-sdk-go#39. */
  SignatureNonceUsed: {
    status: 400,
    reason: 'replayed',
    message:
      'Specified signature nonce was used already. Every call needs a new one, also when it is repeated.',
  },
  /** SDKs compare the text after the colon with their own string to sign, so it must be the end of the message. */
  SignatureDoesNotMatch: {
    status: 400,
    reason: 'signature_mismatch',
    message:
      'Specified signature is not matched with our calculation. {hint}server string to sign is:{stringToSign}',
  },
  IncompleteSignature: {
    status: 400,
    reason: 'signature_mismatch',
    message: 'The request signature does not conform to Aliyun standards. {reason}',
  },
  'Throttling.User': {
    status: 400,
    reason: 'throttled',
    message:
      'Request was denied due to user flow control. {operation} may be called {times} per second and account (OTA_GATEWAY_QPS); try again in {wait} ms.',
  },
  /** Ours: the response of the platform is unverified. */
  RequestBodyTooLarge: {
    status: 413,
    reason: 'too_large',
    message: 'The body of an API call may have at most {limit} bytes.',
  },
  /** Ours: the response of the platform to an incomplete request is unverified. */
  IncompleteBody: {
    status: 400,
    reason: 'incomplete',
    message: 'The body of the request is incomplete: {reason}',
  },
  RequestTimeout: {
    status: 408,
    reason: 'incomplete',
    message: 'The request did not arrive in time.',
  },
  ServiceUnavailable: {
    status: 503,
    reason: 'overloaded',
    message: 'The request has failed due to a temporary failure of the server.',
  },
  InternalError: {
    status: 500,
    reason: 'internal',
    message: 'The request processing has failed due to some unknown error, exception or failure.',
  },
} as const;

/**
 * Refusals of an operation: HTTP 200 with `Success` false, `Code` and `ErrorMessage`. Codes are those of IoT Platform
 * ("Error codes", aliyun-openapi-net-sdk#234 for `iot.check`). Texts are ours, because the platform publishes none.
 */
export const BUSINESS_ERRORS = {
  /** Ours: which code the platform would use is unverified. */
  'Throttling.Limit': 'The request is refused by a limit of this gateway. {explanation}',
  'iot.system.IllegalRequest': 'The request is illegal: {parameter} {reason}',
  'iot.system.InstanceNotFound': 'The instance does not exist. {reason}',
  'iot.common.InvalidPageParams': 'The page is invalid: {parameter} {reason}',
  'iot.check.InvalidFormattedParameter': 'The {parameter} parameter format is invalid. It {reason}',
  'iot.check.ParameterIsNotLessThanMax': '{parameter} is too long: it {reason}',
  'iot.prod.NullProductKey': '{parameter} is empty: it {reason}',
  'iot.prod.InvalidFormattedProductkey': '{parameter} is malformed: it {reason}',
  'iot.prod.NotExistedProduct': 'The product does not exist: {parameter} {reason}',

  'iot.firmware.InvalidGenerateOTAUploadURLParam': '{parameter} is invalid: it {reason}',
  'iot.firmware.NullFirmwareName': '{parameter} is empty: it {reason}',
  'iot.firmware.BlankFirmwareName': '{parameter} has nothing but spaces: it {reason}',
  'iot.firmware.IncorrectFormattedFirmwareName': '{parameter} is malformed: it {reason}',
  'iot.firmware.AlreadyExistedFirmwareName':
    'A firmware package named {name} exists already in this account.',
  'iot.firmware.NullFirmwareVersion': '{parameter} is empty: it {reason}',
  'iot.firmware.IncorrectFormattedFirmwareVersion': '{parameter} is malformed: it {reason}',
  'iot.firmware.AlreadyExistedFirmwareVersion':
    'Version {version} of module {moduleName} exists already in product {productKey}.',
  'iot.firmware.IncorrectFormattedSrcVersion': '{parameter} is malformed: it {reason}',
  'iot.firmware.SrcVersionIsMandatory':
    'SrcVersion is mandatory for a differential firmware package (Type is 1).',
  'iot.firmware.SrcDestVersionMatched':
    'SrcVersion and DestVersion of a differential firmware package must differ; both are {version}.',
  'iot.firmware.IncorrectFormattedModuleName': '{parameter} is malformed: it {reason}',
  'iot.firmware.FirmwareDescriptionExceedMaxLength': '{parameter} is too long: it {reason}',
  'iot.firmware.InvalidFirmwareType': '{parameter} is invalid: it {reason}',
  'iot.firmware.InvalidFirmwareSize': '{parameter} is wrong: it {reason}',
  'iot.firmware.InvalidFirmwareSign': '{parameter} is wrong: it {reason}',
  'iot.firmware.InvalidFirmwareSignMethod': '{parameter} is invalid: it {reason}',
  'iot.firmware.ParameterSizeExceedMax': '{parameter} is too long: it {reason}',
  'iot.firmware.NullFirmwareUrl': '{parameter} is empty: it {reason}',
  'iot.firmware.MalformedFirmwareUrl': '{parameter} is not a URL: it {reason}',
  'iot.firmware.InvalidFirmwareUrl':
    '{parameter} is not the URL of a file for a firmware package: {reason}',
  'iot.firmware.EmptyFirmwareFile': 'The file of {parameter} is empty: it has 0 bytes.',
  'iot.firmware.FirmwareCountExceedMax':
    'There are {maximum} firmware packages already, which is the maximum (OTA_GATEWAY_MAX_PACKAGES).',
  'iot.firmware.SystemBusy':
    'The file is still being checked, or is being changed by another request. Try again.',
  'iot.firmware.NullFirmwareId': '{parameter} is empty: it {reason}',
  'iot.firmware.InvalidFirmwareId': '{parameter} is malformed: it {reason}',
  'iot.firmware.FirmwareNotFound': 'The firmware package {firmwareId} does not exist.',
  'iot.firmware.FirmwareAndProductKeyMismatch':
    'The firmware package {firmwareId} belongs to product {expected}, not {productKey}.',
  /** First sentence from "ModifyOTAFirmware". */
  'iot.ota.FirmwareNotFound': 'The specified firmware does not exist. FirmwareId was {firmwareId}.',
} as const;

/** Why, in the words of the operator. Every other code is about a parameter. */
const BUSINESS_REASONS: Partial<Record<BusinessCode, RefusalReason>> = {
  'Throttling.Limit': 'limit',
  'iot.firmware.AlreadyExistedFirmwareName': 'claim_taken',
  'iot.firmware.AlreadyExistedFirmwareVersion': 'claim_taken',
  'iot.firmware.InvalidFirmwareSize': 'claim_mismatch',
  'iot.firmware.InvalidFirmwareSign': 'claim_mismatch',
  'iot.firmware.EmptyFirmwareFile': 'claim_mismatch',
  'iot.firmware.FirmwareCountExceedMax': 'limit',
  'iot.firmware.SystemBusy': 'overloaded',
  'iot.firmware.FirmwareNotFound': 'not_found',
  'iot.ota.FirmwareNotFound': 'not_found',
};

export type GatewayErrorName = keyof typeof GATEWAY_ERRORS;
export type BusinessCode = keyof typeof BUSINESS_ERRORS;

/** Codes whose messages name only a parameter and a reason. */
export type ParameterCode = {
  [Code in BusinessCode]: Placeholder<(typeof BUSINESS_ERRORS)[Code]> extends 'parameter' | 'reason'
    ? Code
    : never;
}[BusinessCode];

/** What the story of a refusal has beside its message, by name. The client does not get it. */
export type RefusalFacts = Readonly<Record<string, string>>;

/** Thrown to refuse a call before its operation. */
export class GatewayError extends Error {
  readonly code: string;
  readonly status: number;
  /** Headers to send with the response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why, in the words of the operator. */
  readonly reason: RefusalReason;
  readonly facts: RefusalFacts;

  constructor(
    code: string,
    status: number,
    message: string,
    { facts, headers, reason }: Pick<GatewayError, 'facts' | 'headers' | 'reason'>,
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
    this.reason = reason;
    this.facts = facts;
  }
}

/** Thrown by an operation to refuse a call. */
export class BusinessError extends Error {
  readonly code: BusinessCode;
  /** Why, in the words of the operator. */
  readonly reason: RefusalReason;
  readonly facts: RefusalFacts;

  constructor(
    code: BusinessCode,
    message: string,
    reason: RefusalReason,
    facts: RefusalFacts = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.facts = facts;
  }
}

/**
 * Makes the error of a call that is refused before its operation.
 * @param cause - the reason, for a code that has several
 */
export function gatewayError<Name extends GatewayErrorName>(
  name: Name,
  details: Values<Name | (typeof GATEWAY_ERRORS)[Name]['message']>,
  headers: Readonly<Record<string, string>> = {},
  facts: RefusalFacts = {},
  cause?: RefusalReason,
): GatewayError {
  const row: {
    readonly message: string;
    readonly status: number;
    readonly reason?: RefusalReason;
  } = GATEWAY_ERRORS[name];
  const { message, reason = 'parameter', status } = row;
  const more = { headers, reason: cause ?? reason, facts };
  return new GatewayError(fill(name, details), status, fill(message, details), more);
}

/**
 * Makes the error of a call that its operation refuses.
 * @param reason - for a code that has several
 */
export function businessError<Code extends BusinessCode>(
  code: Code,
  details: Values<(typeof BUSINESS_ERRORS)[Code]>,
  reason: RefusalReason = BUSINESS_REASONS[code] ?? 'parameter',
  facts: RefusalFacts = {},
): BusinessError {
  return new BusinessError(code, fill(BUSINESS_ERRORS[code], details), reason, facts);
}

/** @returns the message as it may be kept: without the string to sign, which has every value of a call */
export function summaryOf({ code, message }: GatewayError | BusinessError): string {
  if (code !== 'SignatureDoesNotMatch') return message;
  const [withoutSignedText = ''] = GATEWAY_ERRORS[code].message.split(' {', 1);
  return withoutSignedText;
}
