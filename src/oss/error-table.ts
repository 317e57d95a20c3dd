import type { RefusalReason } from '../refusals/refusal-reason.ts';
import { ACCESS_DENIALS } from './access-denials.ts';
import { INVALID_ARGUMENTS } from './invalid-arguments.ts';

/** One cause of an error. Without its own message it has the default message of the error. */
export interface OssErrorCause {
  /** Fine-grained code of this cause. */
  readonly ec?: string;
  readonly message?: string;
  /** Why, in the words of the operator; that of the error when absent, and `parameter` when it has none. */
  readonly reason?: RefusalReason;
}

/** An error of OSS: its default cause, and its other causes. */
export interface OssErrorRow extends OssErrorCause {
  readonly status: number;
  readonly message: string;
  readonly causes?: Readonly<Record<string, OssErrorCause>>;
}

/**
 * Every error of the OSS host. A cause is named `<Code>` or `<Code>.<cause>`; `{...}` is filled in when the error is
 * created. Unless a comment says otherwise, codes, statuses and messages are copied from the OSS documentation ("HTTP
 * status code" troubleshooting pages; "PostObject", "Upload callback" and "Troubleshoot signature errors"), and `ec`
 * from its EC pages.
 */
export const OSS_ERRORS = {
  AccessDenied: {
    status: 403,
    reason: 'anonymous',
    message: 'Access Denied.',
    causes: ACCESS_DENIALS,
  },
  AccessForbidden: {
    status: 403,
    reason: 'cors',
    // The spelling mistakes are in OSS's text ("OSS CORS" error page).
    message:
      'CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, ' +
      'request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not ' +
      "whitelisted by the resource's CORS spec.",
  },
  BadRequest: {
    status: 400,
    reason: 'cors',
    message: 'Insufficient information. Origin request header needed.',
    causes: {
      requestMethod: {
        message: 'Insufficient information. Request Access-Control-Request-Method header needed.',
      },
    },
  },
  CallbackFailed: {
    status: 203,
    reason: 'callback_failed',
    ec: '0007-00000203',
    message: 'Error status : -1. OSS can not connect to your callbackUrl, please check it.',
    causes: {
      // OSS's text for the URL of a callback ("HTTP 400 status code").
      address: { message: 'Private address is forbidden to callback.' },
      notJson: { message: 'Response body is not valid json format.' },
      // Recorded with status 301 by the live tests of the Go SDK.
      status: { ec: '0007-00000203', message: 'Error status : {status}.' },
      // Unverified.
      tooLarge: { message: 'Response body is too large.' },
      withoutLength: { message: 'Error Status : 400.User server missing content-length.' },
    },
  },
  EntityTooLarge: {
    status: 400,
    reason: 'too_large',
    ec: '0006-00000003',
    message: 'Your proposed upload exceeds the maximum allowed size.',
  },
  EntityTooSmall: {
    status: 400,
    reason: 'too_small',
    ec: '0006-00000004',
    message: 'Your proposed upload smaller than the minimum allowed size.',
  },
  FieldItemTooLong: {
    status: 400,
    reason: 'form_malformed',
    ec: '0006-00000110',
    message: 'Your name of form field is too long.',
    causes: {
      // Unverified.
      value: { ec: '0006-00000111', message: 'Your value of form field is too long.' },
    },
  },
  FileAlreadyExists: {
    status: 409,
    reason: 'exists',
    message: 'The object you specified already exists and can not be overwritten.',
  },
  FileImmutable: {
    status: 409,
    reason: 'immutable',
    message: 'The object you specified is immutable.',
  },
  IncompleteBody: {
    status: 400,
    reason: 'incomplete',
    message: 'You did not provide the number of bytes specified by the Content-Length HTTP header.',
    causes: {
      // Ours.
      lost: { message: 'The body of the request is incomplete: {reason}' },
    },
  },
  IncorrectNumberOfFilesInPOSTRequest: {
    status: 400,
    reason: 'form_malformed',
    ec: '0006-00000107',
    message: 'POST requires exactly one file upload per request.',
    causes: {
      second: {},
    },
  },
  InternalError: {
    status: 500,
    reason: 'internal',
    message: 'We encountered an internal error. Please try again.',
    causes: {
      // Ours: OSS has no error for a full disk. Clients retry after `InternalError`.
      diskFull: {
        reason: 'disk_full',
        message:
          'There is not enough free space for this upload: OTA_GATEWAY_MIN_FREE of the disk stays free. Please try again later.',
      },
    },
  },
  InvalidAccessKeyId: {
    status: 403,
    reason: 'unknown_access_key',
    ec: '0002-00000902',
    message: 'The OSS Access Key Id you provided does not exist in our records.',
  },
  InvalidArgument: {
    status: 400,
    message: 'The argument you provided is invalid.',
    causes: INVALID_ARGUMENTS,
  },
  InvalidDigest: {
    status: 400,
    ec: '0017-00000503',
    message: 'The Content-MD5 you specified was invalid.',
    causes: {
      malformed: { ec: '0017-00000502' },
    },
  },
  InvalidEncryptionAlgorithmError: {
    status: 400,
    message: 'The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.',
  },
  InvalidObjectName: {
    status: 400,
    reason: 'key_invalid',
    message: 'The specified object is not valid.',
    causes: {
      empty: { message: 'The Object name can not be empty.' },
      tooLong: { message: 'The Length of Object name must be less than 1024.' },
    },
  },
  InvalidPolicyDocument: { status: 400, reason: 'policy_invalid', message: 'Invalid Policy.' },
  InvalidRange: {
    status: 416,
    reason: 'precondition',
    message: 'The requested range cannot be satisfied.',
  },
  InvalidRequest: {
    status: 400,
    message: 'Request specific response headers cannot be used for anonymous GET requests.',
  },
  MalformedPOSTRequest: {
    status: 400,
    reason: 'form_malformed',
    ec: '0006-00000104',
    message: 'The body of your POST request is not well-formed multipart/form-data.',
    causes: {
      fieldOrder: { ec: '0006-00000103' },
      partHeader: { ec: '0006-00000109' },
      // Ours.
      tooManyParts: { message: 'The body of your POST request has more than {maximum} parts.' },
    },
  },
  MaxPOSTPreDataLengthExceededError: {
    status: 400,
    reason: 'form_malformed',
    ec: '0006-00000112',
    message: 'Your POST request fields preceding the upload file were too large.',
  },
  MissingContentLength: {
    status: 411,
    reason: 'incomplete',
    message: 'You must provide the Content-Length HTTP header.',
  },
  MethodNotAllowed: {
    status: 405,
    reason: 'unsupported',
    message: 'The specified method is not allowed against this resource.',
    causes: {
      // A form without Content-Type, as recorded from OSS (aliyun-oss-csharp-sdk#121).
      form: {
        reason: 'form_malformed',
        message: 'The specified method is not allowed against this resource.',
      },
    },
  },
  // EC as recorded by the Go and Python SDKs, as those of `NoSuchKey`, `CallbackFailed` and `InvalidAccessKeyId`.
  NoSuchBucket: {
    status: 404,
    reason: 'not_found',
    ec: '0015-00000101',
    message: 'The specified bucket does not exist.',
  },
  NoSuchKey: {
    status: 404,
    reason: 'not_found',
    ec: '0026-00000001',
    message: 'The specified key does not exist.',
  },
  NotImplemented: {
    status: 400,
    reason: 'unsupported',
    message: 'A header you provided implies functionality that is not implemented.',
    causes: {
      parameter: {
        message: 'The query parameter {parameter} implies functionality that is not implemented.',
      },
    },
  },
  PreconditionFailed: {
    status: 412,
    reason: 'precondition',
    message: 'At least one of the pre-conditions you specified did not hold.',
  },
  RequestIsNotMultiPartContent: {
    status: 400,
    reason: 'form_malformed',
    message: 'Bucket POST must be of the enclosure-type multipart/form-data.',
  },
  RequestTimeout: {
    status: 400,
    reason: 'incomplete',
    message:
      'Your socket connection to the server was not read from or written to within the timeout period. ' +
      'Idle connections will be closed.',
  },
  // Codes and limits of forms are unverified.
  RequestTimeTooSkewed: {
    status: 403,
    reason: 'clock_skew',
    message: 'The difference between the request time and the current time is too large.',
    causes: {
      header: { ec: '0002-00000504' },
    },
  },
  SecondLevelDomainForbidden: {
    status: 403,
    message:
      'The bucket you are attempting to access must be addressed using OSS third level domain.',
  },
  // Ours: the code of OSS for an overload is unverified.
  ServiceUnavailable: {
    status: 503,
    reason: 'overloaded',
    message:
      'Too many requests are being read at this moment (OTA_GATEWAY_MAX_UNSIGNED). Please try again.',
    causes: {
      store: {
        message: 'The store of the files cannot be used at this moment. Please try again later.',
      },
      ledger: {
        message: 'The ledger of the uploads cannot be used at this moment. Please try again later.',
      },
    },
  },
  SignatureDoesNotMatch: {
    status: 403,
    reason: 'signature_mismatch',
    ec: '0002-00000705',
    message:
      'The request signature we calculated does not match the signature you provided. ' +
      'Check your key and signing method.',
    causes: {
      v1: { ec: '0002-00000040' },
      v4: { ec: '0002-00000201' },
    },
  },
} as const satisfies Readonly<Record<string, OssErrorRow>>;
