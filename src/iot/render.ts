import type { XmlValue } from '../http/xml.ts';
import { cutText, xmlElement } from '../http/xml.ts';
import type { BusinessError, GatewayError } from './errors.ts';

export type AnswerFormat = 'json' | 'xml';

/** A value of an answer, before it is JSON or XML. */
export type AnswerValue = XmlValue;

/** The fields of an answer in the order they are sent. */
export type AnswerBody = Readonly<Record<string, AnswerValue>>;

/** An answer as it goes over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const PROLOG = "<?xml version='1.0' encoding='UTF-8'?>";
/** Fields that hold a URL with a query. */
const CDATA_FIELDS: ReadonlySet<string> = new Set(['Recommend', 'FirmwareUrl', 'Url']);

/** The XML type is exact: SDKs of the tea family parse no XML that is labeled differently. */
const CONTENT_TYPES = {
  json: 'application/json; charset=UTF-8',
  xml: 'text/xml;charset=utf-8',
} as const;

/**
 * What a field of a refusal may take in bytes. The string to sign of a call with the longest legal Udi, 61,440
 * characters, stays whole, because SDKs compare it with their own.
 */
const MAX_REFUSAL_FIELD_BYTES: ReadonlyMap<string, number> = new Map([
  ['Message', 64 * 1024],
  ['ErrorMessage', 8 * 1024],
  ['HostId', 1024],
]);

/** Answers what an operation has returned. */
export function renderResult(format: AnswerFormat, action: string, body: AnswerBody): Answer {
  return render(format, 200, `${action}Response`, body);
}

/** Answers that an operation refused the call. There is no field `Message` in it. */
export function renderBusinessError(
  format: AnswerFormat,
  action: string,
  error: BusinessError,
  requestId: string,
): Answer {
  return renderRefusal(format, 200, `${action}Response`, {
    RequestId: requestId,
    Success: false,
    Code: error.code,
    ErrorMessage: error.message,
  });
}

/**
 * Answers that the call did not reach an operation (body as quoted in aliyun/openapi-sdk-php#175 and
 * NewFuture/DDNS#57).
 * @param host - what the client has called
 */
export function renderGatewayError(
  format: AnswerFormat,
  error: GatewayError,
  requestId: string,
  host: string,
): Answer {
  const question = new URLSearchParams({ q: error.code, product: 'Iot', requestId });
  const answer = renderRefusal(format, error.status, 'Error', {
    RequestId: requestId,
    HostId: host,
    Code: error.code,
    Message: error.message,
    Recommend: `https://api.aliyun.com/troubleshoot?${question.toString()}`,
  });
  return { ...answer, headers: { ...answer.headers, ...error.headers } };
}

/** Cuts what a client may have chosen, so that no refusal is much larger than its request. */
function renderRefusal(
  format: AnswerFormat,
  status: number,
  root: string,
  body: AnswerBody,
): Answer {
  const write = format === 'json' ? JSON.stringify : undefined;
  const fields = new Map(Object.entries(body));
  for (const [name, limit] of MAX_REFUSAL_FIELD_BYTES) {
    const value = fields.get(name);
    if (typeof value === 'string') fields.set(name, cutText(value, limit, write));
  }
  return render(format, status, root, Object.fromEntries(fields));
}

function render(format: AnswerFormat, status: number, root: string, body: AnswerBody): Answer {
  const text =
    format === 'json' ? JSON.stringify(body) : PROLOG + xmlElement(root, body, CDATA_FIELDS);
  return { status, headers: { 'Content-Type': CONTENT_TYPES[format] }, text };
}
