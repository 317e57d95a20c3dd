import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { multipartBoundary } from '../lib/ids.ts';
import type { UploadGrant } from './api-client.ts';

/** A POST request with a streamed body. */
export interface FormRequest {
  readonly url: URL;
  /** Contains `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

/** How to post a form. */
export interface PostOptions {
  /** Called with the number of bytes of the file that were handed to the network. */
  readonly onProgress?: (sent: number) => void;
  /** Ends the request. */
  readonly signal?: AbortSignal;
  /** Additional request headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the form, instead of node:http or node:https. @returns the response, also when it is an early one */
  readonly send?: (request: FormRequest) => Promise<PostResponse>;
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
  readonly headers: IncomingHttpHeaders;
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
  { headers, onProgress = () => undefined, send = sendOverNetwork, signal }: PostOptions = {},
): Promise<PostResponse> {
  const boundary = multipartBoundary();
  const head = Buffer.from(formHead(boundary, fields, file.name));
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const url = new URL(host);
  return send({
    url,
    headers: {
      host: url.host,
      ...headers,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + file.size + tail.length),
    },
    body: formBody(head, file, tail, onProgress),
    ...(signal !== undefined && { signal }),
  });
}

/** Sends a POST request by node:http or node:https. */
export async function sendOverNetwork({
  url,
  headers,
  body,
  signal,
}: FormRequest): Promise<PostResponse> {
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = open({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: url.pathname + url.search,
    method: 'POST',
    headers,
    ...(signal !== undefined && { signal }),
  });
  const responded = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  // A failure also reaches the request, where `responded` rejects. After an early response a failure does not matter.
  pipeline(Readable.from(body), request).catch(() => undefined);
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
