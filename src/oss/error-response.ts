import type { ServerResponse } from 'node:http';
import { drain } from '../http/drain.ts';
import type { DrainLimits } from '../http/drain.ts';
import type { OssError } from './errors.ts';
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
 * `x-oss-server-time: 0`. The response to HEAD has only the headers.
 * @param facts - the id of the request, and its Host header
 * @param end - sends the body; by default it also ends the response
 */
export function renderOssError(
  response: ServerResponse,
  error: OssError,
  facts: { readonly requestId: string; readonly host: string },
  end: (body: string) => void = (body) => response.end(body),
): void {
  const xml = flatXml('Error', {
    Code: error.code,
    Message: error.message,
    RequestId: facts.requestId,
    HostId: facts.host,
    ...error.elements,
    ...explanation(error.ec),
  });
  response.statusCode = error.status;
  response.setHeader('x-oss-request-id', facts.requestId);
  response.setHeader('x-oss-server-time', '0');
  if (error.ec !== undefined) response.setHeader('x-oss-ec', error.ec);
  response.setHeader('Content-Type', 'application/xml');
  response.setHeader('Content-Length', Buffer.byteLength(xml));
  end(response.req.method === 'HEAD' ? '' : xml);
}

function explanation(ec: string | undefined): Readonly<Record<string, string>> {
  if (ec === undefined) return {};
  return { EC: ec, RecommendDoc: `https://api.aliyun.com/troubleshoot?q=${ec}` };
}
