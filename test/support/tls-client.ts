import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { RequestOptions } from 'node:https';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ApiClientOptions, ApiFetch, UploadGrant } from '../../src/client/api-client.ts';
import { formFields } from '../../src/client/post-object.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { ACCOUNT_KEY } from './built-gateway.ts';

/** The gateway's own client for a server whose certificate a private authority has signed; a new connection each call. */
export function tlsApiOf(url: string, ca: string): ApiClientOptions {
  return {
    endpoint: url,
    accessKeyId: ACCOUNT_KEY.id,
    accessKeySecret: ACCOUNT_KEY.secret,
    clock: wallClock,
    nonce: randomUUID,
    fetch: fetchWith(ca),
  };
}

function fetchWith(ca: string): ApiFetch {
  return async (url, { headers, method }) => {
    const sent = httpsRequest(url, { method, headers, ca, agent: false }).end();
    const response = await responseTo(sent);
    const body = await text(response);
    const status = response.statusCode ?? 0;
    return { ok: status === 200, status, text: () => Promise.resolve(body) };
  };
}

/** Posts the first half of a form. @returns a function that sends the rest and returns the status */
export async function beginToPost(
  grant: UploadGrant,
  options: RequestOptions = {},
): Promise<() => Promise<number | undefined>> {
  const fields = formFields(grant).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `${fields.join('')}--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n`;
  const send = grant.host.startsWith('https:') ? httpsRequest : httpRequest;
  const request = send(grant.host, {
    ...options,
    method: 'POST',
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  });
  request.write(`${head}first half, `);
  const [socket] = await once(request, 'socket');
  // Otherwise the connection might be opened only with the rest.
  if (socket.connecting === true)
    await once(socket, grant.host.startsWith('https:') ? 'secureConnect' : 'connect');
  return async () => {
    const responded = responseTo(request);
    request.end('second half\r\n--b--\r\n');
    const response = await responded;
    response.resume();
    return response.statusCode;
  };
}

async function responseTo(request: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  const [response] = await once(request, 'response');
  return response;
}
