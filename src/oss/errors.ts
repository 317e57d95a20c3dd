import type { ServerResponse } from 'node:http';
import { cutText, xmlElement } from '../http/xml.ts';

interface ErrorFacts {
  readonly status: number;
  /** Fine-grained code of the error's usual cause; whoever refuses for another cause names that one. */
  readonly ec?: string;
  readonly message: string;
}

/**
 * Every error of OSS that the gateway answers with. Codes, statuses and messages are the literal ones of the OSS
 * documentation ("HTTP status code" troubleshooting pages, "PostObject" and "Upload callback" error pages);
 * `ec` are the fine-grained codes of its EC pages.
 */
export const OSS_ERRORS = {
  AccessDenied: { status: 403, message: 'Access Denied.' },
  AccessForbidden: {
    status: 403,
    // The spelling mistakes are OSS's own ("OSS CORS" error page).
    message:
      'CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, ' +
      'request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not ' +
      "whitelisted by the resource's CORS spec.",
  },
  BadRequest: {
    status: 400,
    message: 'Insufficient information. Origin request header needed.',
  },
  CallbackFailed: {
    status: 203,
    message: 'Error status : -1. OSS can not connect to your callbackUrl, please check it.',
  },
  EntityTooLarge: {
    status: 400,
    ec: '0006-00000003',
    message: 'Your proposed upload exceeds the maximum allowed size.',
  },
  EntityTooSmall: {
    status: 400,
    ec: '0006-00000004',
    message: 'Your proposed upload smaller than the minimum allowed size.',
  },
  FieldItemTooLong: {
    status: 400,
    ec: '0006-00000110',
    message: 'Your name of form field is too long.',
  },
  FileAlreadyExists: {
    status: 409,
    message: 'The object you specified already exists and can not be overwritten.',
  },
  FileImmutable: { status: 409, message: 'The object you specified is immutable.' },
  IncompleteBody: {
    status: 400,
    message: 'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  },
  IncorrectNumberOfFilesInPOSTRequest: {
    status: 400,
    message: 'POST requires exactly one file upload per request.',
  },
  InternalError: {
    status: 500,
    message: 'We encountered an internal error. Please try again.',
  },
  InvalidAccessKeyId: {
    status: 403,
    message: 'The OSS Access Key Id you provided does not exist in our records.',
  },
  InvalidArgument: { status: 400, message: 'The argument you provided is invalid.' },
  InvalidDigest: { status: 400, message: 'The Content-MD5 you specified was invalid.' },
  InvalidEncryptionAlgorithmError: {
    status: 400,
    message: 'The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.',
  },
  InvalidObjectName: { status: 400, message: 'The specified object is not valid.' },
  InvalidPolicyDocument: { status: 400, message: 'Invalid Policy.' },
  InvalidRange: { status: 416, message: 'The requested range cannot be satisfied.' },
  InvalidRequest: {
    status: 400,
    message: 'Request specific response headers cannot be used for anonymous GET requests.',
  },
  MalformedPOSTRequest: {
    status: 400,
    ec: '0006-00000104',
    message: 'The body of your POST request is not well-formed multipart/form-data.',
  },
  MaxPOSTPreDataLengthExceededError: {
    status: 400,
    ec: '0006-00000112',
    message: 'Your POST request fields preceding the upload file were too large.',
  },
  MethodNotAllowed: {
    status: 405,
    message: 'The specified method is not allowed against this resource.',
  },
  NoSuchBucket: { status: 404, message: 'The specified bucket does not exist.' },
  NoSuchKey: { status: 404, message: 'The specified key does not exist.' },
  NotImplemented: {
    status: 400,
    message: 'A header you provided implies functionality that is not implemented.',
  },
  PreconditionFailed: {
    status: 412,
    message: 'At least one of the pre-conditions you specified did not hold.',
  },
  RequestIsNotMultiPartContent: {
    status: 400,
    message: 'Bucket POST must be of the enclosure-type multipart/form-data.',
  },
  RequestTimeout: {
    status: 400,
    message:
      'Your socket connection to the server was not read from or written to within the timeout period. ' +
      'Idle connections will be closed.',
  },
  RequestTimeTooSkewed: {
    status: 403,
    message: 'The difference between the request time and the current time is too large.',
  },
  /** Ours: which code OSS has for an overload is unverified. */
  ServiceUnavailable: {
    status: 503,
    message: 'Too many requests are being read at this moment. Please try again.',
  },
  SignatureDoesNotMatch: {
    status: 403,
    message:
      'The request signature we calculated does not match the signature you provided. ' +
      'Check your key and signing method.',
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;

/** The code of an OSS error. Tell errors apart by it, never by their message. */
export type OssErrorCode = keyof typeof OSS_ERRORS;

/** @returns whether OSS, as far as we have it, knows the code */
export function isOssErrorCode(code: string): code is OssErrorCode {
  return Object.hasOwn(OSS_ERRORS, code);
}

/** Every code there is. */
export const OSS_ERROR_CODES: readonly string[] = Object.keys(OSS_ERRORS);

/** What a refusal says beyond its code. Absent members come from the table. */
export interface OssErrorOptions {
  readonly message?: string;
  /** Fine-grained code; the table's own goes with the table's own message only. */
  readonly ec?: string | undefined;
  /** Further elements of the XML, by name, in their order. */
  readonly details?: readonly (readonly [name: string, value: string])[];
  readonly cause?: unknown;
}

/** A request that OSS refuses. */
export class OssError extends Error {
  override readonly name = 'OssError';
  readonly code: OssErrorCode;
  readonly status: number;
  readonly ec: string | undefined;
  readonly details: readonly (readonly [name: string, value: string])[];

  constructor(code: OssErrorCode, options: OssErrorOptions = {}) {
    const facts: ErrorFacts = OSS_ERRORS[code];
    super(options.message ?? facts.message, { cause: options.cause });
    this.code = code;
    this.status = facts.status;
    this.ec = options.ec ?? (options.message === undefined ? facts.ec : undefined);
    this.details = options.details ?? [];
  }
}

/** A refused argument: the one error that names what it is about. OSS does so in every InvalidArgument. */
export function invalidArgument(
  name: string,
  value: string,
  message: string,
  ec?: string,
): OssError {
  return new OssError('InvalidArgument', {
    message,
    ec,
    details: [
      ['ArgumentName', name],
      ['ArgumentValue', value],
    ],
  });
}

/** What an element may take in bytes. A key of 1023 bytes fits, whatever is in it. */
const MAX_ELEMENT_BYTES = 8 * 1024;
/** For people who look for the place where their own string differs. All together they stay below 64 KiB. */
const LONG_ELEMENTS: ReadonlyMap<string, number> = new Map([
  ['StringToSign', 16 * 1024],
  ['StringToSignBytes', 24 * 1024],
  ['CanonicalRequest', 16 * 1024],
]);

/** Writes an XML document of one flat element. Values that are too long are cut, see `cutText`. */
export function flatXml(root: string, elements: Iterable<readonly [string, string]>): string {
  const lines = Array.from(elements, ([name, value]) => {
    const text = cutText(value, LONG_ELEMENTS.get(name) ?? MAX_ELEMENT_BYTES);
    return `  ${xmlElement(name, text)}\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n${lines.join('')}</${root}>\n`;
}

/**
 * Answers with an error, in the shape of the page "Error responses": the elements' order, `EC` and `RecommendDoc`
 * after the extras, `x-oss-server-time: 0`. A HEAD request gets the headers alone.
 * @param answer - the request's id, and the host as the client named it
 * @param end - ends the response some other way than at once
 */
export function renderOssError(
  response: ServerResponse,
  error: OssError,
  answer: { readonly requestId: string; readonly host: string },
  end: (body: string) => void = (body) => response.end(body),
): void {
  const xml = flatXml('Error', [
    ['Code', error.code],
    ['Message', error.message],
    ['RequestId', answer.requestId],
    ['HostId', answer.host],
    ...error.details,
    ...explanation(error.ec),
  ]);
  response.statusCode = error.status;
  response.setHeader('x-oss-request-id', answer.requestId);
  response.setHeader('x-oss-server-time', '0');
  if (error.ec !== undefined) response.setHeader('x-oss-ec', error.ec);
  response.setHeader('Content-Type', 'application/xml');
  response.setHeader('Content-Length', Buffer.byteLength(xml));
  end(response.req.method === 'HEAD' ? '' : xml);
}

function explanation(ec: string | undefined): readonly (readonly [string, string])[] {
  if (ec === undefined) return [];
  return [
    ['EC', ec],
    ['RecommendDoc', `https://api.aliyun.com/troubleshoot?q=${ec}`],
  ];
}
