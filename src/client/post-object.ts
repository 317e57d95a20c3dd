import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { multipartBoundary } from '../lib/ids.ts';
import type { UploadGrant } from './api-client.ts';

/** How to post a form. */
export interface PostOptions {
  /** Called with the number of bytes of the file that were handed to the network. */
  readonly onProgress?: (sent: number) => void;
  /** Additional request headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Opens the connection to use, instead of one to the host. */
  readonly connect?: () => Duplex;
}

/** A file to post; `bytes` must yield exactly `size` bytes. */
export interface FileToPost {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The response to a posted form. */
export interface PostResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** @returns the form fields of a grant, in the order of the sample of the GenerateOTAUploadURL page */
export function formFields(grant: UploadGrant): [name: string, value: string][] {
  return [
    ['key', grant.key],
    ['policy', grant.policy],
    ['OSSAccessKeyId', grant.accessKeyId],
    ['signature', grant.signature],
    ['success_action_status', '200'],
  ];
}

/**
 * Posts a form with a file. Streams the file.
 * @returns the response of the server, also when it comes before the whole file was sent
 */
export async function postObject(
  host: string,
  fields: Iterable<readonly [name: string, value: string]>,
  file: FileToPost,
  { connect, headers, onProgress = () => undefined }: PostOptions = {},
): Promise<PostResponse> {
  const boundary = multipartBoundary();
  const head = Buffer.from(formHead(boundary, fields, file.name));
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const url = new URL(host);
  const send = url.protocol === 'https:' && connect === undefined ? httpsRequest : httpRequest;
  const request = send({
    protocol: connect === undefined ? url.protocol : 'http:',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: url.pathname + url.search,
    ...(connect && { createConnection: connect }),
    method: 'POST',
    headers: {
      host: url.host,
      ...headers,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + file.size + tail.length,
    },
  });
  const responded = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  // A failure also reaches the request, where `responded` rejects. After an early response a failure does not matter.
  pipeline(Readable.from(formBody(head, file, tail, onProgress)), request).catch(() => undefined);
  const response = await responded;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  };
}

function formHead(
  boundary: string,
  fields: Iterable<readonly [string, string]>,
  fileName: string,
): string {
  const parts = Array.from(
    fields,
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const quotable = fileName.replace(/[\r\n"\\]/g, '_');
  return (
    parts.join('') +
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quotable}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n'
  );
}

async function* formBody(
  head: Buffer,
  file: FileToPost,
  tail: Buffer,
  onProgress: (sent: number) => void,
): AsyncGenerator<Uint8Array> {
  yield head;
  let sent = 0;
  for await (const chunk of file.bytes) {
    yield chunk;
    sent += chunk.length;
    onProgress(sent);
  }
  yield tail;
}
