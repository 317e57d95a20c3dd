import type { XmlValue } from '../http/xml.ts';
import { cutText, xmlElement } from '../http/xml.ts';
import type { BusinessError, GatewayError } from './errors.ts';

export type ResponseFormat = 'json' | 'xml';

/** A value in a response, before it is written as JSON or XML. */
export type ResponseValue = XmlValue;

/** The fields of a response, in the order in which they are sent. */
export type ResponseBody = Readonly<Record<string, ResponseValue>>;

/** A response as it goes over the wire. */
export interface RenderedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const PROLOG = "<?xml version='1.0' encoding='UTF-8'?>";
/** Fields that may have a URL with a query. */
const CDATA_FIELDS: ReadonlySet<string> = new Set(['Recommend', 'FirmwareUrl', 'Url']);

/** Keep the XML type unchanged: SDKs of the tea family do not parse XML with another type. */
const CONTENT_TYPES = {
  json: 'application/json; charset=UTF-8',
  xml: 'text/xml;charset=utf-8',
} as const;

/**
 * Limits for fields of a refusal, in bytes. The string to sign of a call with the longest legal Udi, 61,440 characters,
 * is never cut, because SDKs compare it with their own.
 */
const MAX_REFUSAL_FIELD_BYTES: ReadonlyMap<string, number> = new Map([
  ['Message', 64 * 1024],
  ['ErrorMessage', 8 * 1024],
  ['HostId', 1024],
]);

/** Renders the result of an operation. */
export function renderResult(
  format: ResponseFormat,
  action: string,
  body: ResponseBody,
): RenderedResponse {
  return render(format, 200, `${action}Response`, body);
}

/** Renders the refusal of a call by its operation. It has no field `Message`. */
export function renderBusinessError(
  format: ResponseFormat,
  action: string,
  error: BusinessError,
  requestId: string,
): RenderedResponse {
  return renderRefusal(format, 200, `${action}Response`, {
    RequestId: requestId,
    Success: false,
    Code: error.code,
    ErrorMessage: error.message,
  });
}

/**
 * Renders the refusal of a call that did not reach an operation (body as quoted in aliyun/openapi-sdk-php#175 and
 * NewFuture/DDNS#57).
 * @param host - the `Host` header of the call
 */
export function renderGatewayError(
  format: ResponseFormat,
  error: GatewayError,
  requestId: string,
  host: string,
): RenderedResponse {
  const question = new URLSearchParams({ q: error.code, product: 'Iot', requestId });
  const rendered = renderRefusal(format, error.status, 'Error', {
    RequestId: requestId,
    HostId: host,
    Code: error.code,
    Message: error.message,
    Recommend: `https://api.aliyun.com/troubleshoot?${question.toString()}`,
  });
  return { ...rendered, headers: { ...rendered.headers, ...error.headers } };
}

/**
 * Renders a refusal. Cuts fields that a client can make long, so that a refusal is not much larger than its request.
 */
function renderRefusal(
  format: ResponseFormat,
  status: number,
  root: string,
  body: ResponseBody,
): RenderedResponse {
  const write = format === 'json' ? JSON.stringify : undefined;
  const fields = new Map(Object.entries(body));
  for (const [name, limit] of MAX_REFUSAL_FIELD_BYTES) {
    const value = fields.get(name);
    if (typeof value === 'string') fields.set(name, cutText(value, limit, write));
  }
  return render(format, status, root, Object.fromEntries(fields));
}

function render(
  format: ResponseFormat,
  status: number,
  root: string,
  body: ResponseBody,
): RenderedResponse {
  const text =
    format === 'json' ? JSON.stringify(body) : PROLOG + xmlElement(root, body, CDATA_FIELDS);
  return { status, headers: { 'Content-Type': CONTENT_TYPES[format] }, text };
}
