import type { ServerResponse } from 'node:http';
import { drain } from '../http/drain.ts';
import type { DrainLimits } from '../http/drain.ts';
import type { ErrorElements, OssError } from './errors.ts';
import { flatXml } from './flat-xml.ts';
import type { OssRequest } from './oss-request.ts';

/**
 * Sends an error. If the client is still sending its request, sends the response at once, reads and discards the
 * request up to the limits, then closes the connection. If it closed the connection at once, the kernel would reset it,
 * and most clients would never read the response.
 */
export async function refuse(
  { id, headers, raw }: OssRequest,
  response: ServerResponse,
  error: OssError,
  limits: DrainLimits,
): Promise<void> {
  const facts = { requestId: id, host: headers.get('host') ?? '' };
  if (raw.complete || raw.destroyed) {
    renderOssError(response, error, facts);
    return;
  }
  response.setHeader('Connection', 'close');
  renderOssError(response, error, facts, (xml) => {
    if (xml === '') response.flushHeaders();
    else response.write(xml);
  });
  await drain(raw, limits);
  response.end();
}

/**
 * Writes an error in the form of the page "Error responses": its order of elements, `EC` and `RecommendDoc` last,
 * `x-oss-server-time: 0`. The response to HEAD has only the headers; SDKs read its error from `x-oss-err`
 * (alibabacloud-oss-go-sdk-v2, alibabacloud-oss-python-sdk-v2, ali-oss).
 * @param facts - the id of the request, and its Host header
 * @param end - sends the body; by default it also ends the response
 */
export function renderOssError(
  response: ServerResponse,
  error: OssError,
  facts: ErrorFacts,
  end: (body: string) => void = (body) => response.end(body),
): void {
  const isHead = response.req.method === 'HEAD';
  const xml = errorXml(error, facts, error.elements);
  response.statusCode = error.status;
  response.setHeader('x-oss-request-id', facts.requestId);
  response.setHeader('x-oss-server-time', '0');
  if (error.ec !== undefined) response.setHeader('x-oss-ec', error.ec);
  response.setHeader('Content-Type', 'application/xml');
  response.setHeader('Content-Length', Buffer.byteLength(xml));
  if (isHead) response.setHeader('x-oss-err', errorHeader(xml, error, facts));
  end(isHead ? '' : xml);
}

interface ErrorFacts {
  readonly requestId: string;
  readonly host: string;
}

function errorXml(
  error: OssError,
  { requestId, host }: ErrorFacts,
  elements: ErrorElements,
): string {
  return flatXml('Error', {
    Code: error.code,
    Message: error.message,
    RequestId: requestId,
    HostId: host,
    ...elements,
    ...explanation(error.ec),
  });
}

/** Ours: clients read 8 to 16 KiB of headers. */
const MAX_ERROR_HEADER_BYTES = 4 * 1024;

/** @returns the document in Base64; without the elements of its own when it is too long for a header */
function errorHeader(xml: string, error: OssError, facts: ErrorFacts): string {
  const isShort = Buffer.byteLength(xml) <= MAX_ERROR_HEADER_BYTES;
  return Buffer.from(isShort ? xml : errorXml(error, facts, {})).toString('base64');
}

function explanation(ec: string | undefined): Readonly<Record<string, string>> {
  if (ec === undefined) return {};
  return { EC: ec, RecommendDoc: `https://api.aliyun.com/troubleshoot?q=${ec}` };
}
