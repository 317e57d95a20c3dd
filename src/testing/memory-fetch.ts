import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';

/** A request without a body, as the API client sends it. */
interface PlainRequest {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the part of `fetch` that the API client needs, over the connections that `connect` opens. */
export function memoryFetch(
  connect: () => Duplex,
): (url: URL, init: PlainRequest) => Promise<Response> {
  return async (url, { headers, method }) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({
        createConnection: connect,
        path: url.pathname + url.search,
        method,
        headers,
      })
        .once('response', resolve)
        .once('error', reject)
        .end();
    });
    const body = await buffer(response);
    const { rawHeaders, statusCode = 0 } = response;
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
    }
    return new Response(body.length === 0 ? null : body, { status: statusCode, headers: pairs });
  };
}
