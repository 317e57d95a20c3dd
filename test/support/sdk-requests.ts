import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** A request as a client of another language sent it, and the response that it received. */
const sdkRequest = z.object({
  /** The requests of a session depend on each other. It began with an empty gateway, as of `startTestGateway`. */
  session: z.string(),
  /** Name and version of the client. */
  sdk: z.string(),
  what: z.string(),
  service: z.enum(['iot', 'oss']),
  /** When it was sent, without the milliseconds. */
  at: z.iso.datetime().transform((time) => Date.parse(time)),
  method: z.string(),
  url: z.string(),
  /** Without the headers of the connection, and without those of negotiation unless they are signed. */
  rawHeaders: z.array(z.string()),
  body: z.string(),
  status: z.number(),
  /** The code of the error. */
  code: z.string().optional(),
  /** The content that a read returned. */
  answer: z.string().optional(),
});

export type SdkRequest = z.output<typeof sdkRequest>;

const FIXTURE = join(__dirname, '..', 'fixtures', 'sdk-requests.jsonl');

/** Every recorded request, in the order of the recording. The keys are those of `startTestGateway`. */
export const SDK_REQUESTS: readonly SdkRequest[] = readFileSync(FIXTURE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => sdkRequest.parse(JSON.parse(line)));

/** What a client can see of a response. */
export type SdkResponse = Pick<SdkRequest, 'status' | 'code' | 'answer'>;

/** Sends a recorded request to a gateway on loopback, with the recorded Host. */
export async function replay(port: number, recorded: SdkRequest): Promise<SdkResponse> {
  const { method, rawHeaders, url: path } = recorded;
  const headers = [...rawHeaders];
  const call = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
  call.end(recorded.body);
  const [response] = z.tuple([z.custom<IncomingMessage>()]).parse(await once(call, 'response'));
  const body = await text(response);
  const errorHeader = response.headers['x-oss-err'];
  const error =
    typeof errorHeader === 'string' ? Buffer.from(errorHeader, 'base64').toString('utf8') : body;
  const code = /<Code>([^<]+)|"Code":"([^"]+)/.exec(error);
  return {
    status: response.statusCode ?? 0,
    ...(code !== null && { code: code[1] ?? code[2] }),
    ...(recorded.answer !== undefined && { answer: body }),
  };
}
