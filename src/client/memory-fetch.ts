import { Readable } from 'node:stream';
import type { ApiFetch } from './api-client.ts';
import { sendOverNetwork } from './post-object.ts';
import type { FormRequest, PostResponse } from './post-object.ts';
import type { MemoryServer } from './memory-connection.ts';
import { exchange } from './memory-exchange.ts';
import { joinHeaders } from './memory-response.ts';
import { nodeResponse } from './node-globals.ts';
import { checkTimers } from './real-timers.ts';

/** A request without a body. */
interface PlainRequest {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the kit sends without a port. */
export interface MemoryClient {
  /** The part of `fetch` for requests without a body. */
  readonly fetch: (url: URL, init: PlainRequest) => Promise<Response>;
  /** Sends a form. */
  readonly send: (request: FormRequest) => Promise<PostResponse>;
}

/** Makes a client of a server inside the process. */
export function createMemoryClient({ connect }: MemoryServer): MemoryClient {
  return {
    fetch: async (url, { headers = {}, method = 'GET' }) => {
      checkTimers();
      const request = { url, method: method.toUpperCase(), headers };
      const { body, rawHeaders, status } = await exchange(connect, request);
      const init = {
        status,
        headers: rawHeaders.map(([name, value]): [string, string] => [name, value]),
      };
      return new (nodeResponse())(body.length === 0 ? null : body, init);
    },
    send: async (request) => {
      const { body, rawHeaders, status } = await exchange(connect, {
        ...request,
        method: 'POST',
      });
      return { status, headers: joinHeaders(rawHeaders), body: body.toString() };
    },
  };
}

/**
 * Sends a call to a port. Tools that intercept requests see it.
 * The global `fetch` is not used: jsdom and happy-dom remove it, or forbid it other origins than that of their page.
 */
export const networkFetch: ApiFetch = async (url, { headers }) => {
  checkTimers();
  const request = { url, headers: { ...headers, 'content-length': '0' }, body: Readable.from([]) };
  const { body, status } = await sendOverNetwork(request);
  return { ok: status >= 200 && status < 300, status, text: async () => body };
};
