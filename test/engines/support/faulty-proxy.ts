import { createServer, request as sendRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';

/** What happens to a request. */
export type Fault =
  | 'none'
  /** It is read, and never answered. */
  | 'silence'
  /** It reaches the store, but the connection breaks before the answer. */
  | 'lostAnswer'
  /** The connection breaks after this number of bytes of the answer. */
  | { readonly cutAfter: number }
  /** It is refused with a status and a code of S3. */
  | { readonly status: number; readonly code: string };

/** Stands between a store and its client. */
export interface FaultyProxy {
  readonly url: string;
  /** Requests that have arrived, such as `PUT /bucket/key?partNumber=1`. */
  readonly seen: string[];
  /** Chooses the fault of each request; the first one has the number 1. */
  choose: (request: IncomingMessage, number: number) => Fault;
  /** Refuses connections. */
  refuse(): Promise<void>;
  /** Accepts connections again. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy in front of a store. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const seen: string[] = [];
  const server = createServer((incoming, response) => {
    seen.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    const fault = proxy.choose(incoming, seen.length);
    if (fault === 'silence') incoming.resume();
    else if (typeof fault === 'object' && 'status' in fault)
      refuseRequest(incoming, response, fault);
    else forward({ hostname, port }, incoming, response, fault);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(at, '127.0.0.1', resolve);
    });
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const refuse = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${String(address.port)}`,
    seen,
    choose: () => 'none',
    refuse,
    accept: () => listen(address.port),
    close: refuse,
  };
  return proxy;
}

function refuseRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  { code, status }: { readonly status: number; readonly code: string },
): void {
  incoming.resume();
  incoming.once('end', () => {
    response.writeHead(status, { 'Content-Type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  });
}

function forward(
  target: { readonly hostname: string; readonly port: string },
  incoming: IncomingMessage,
  response: ServerResponse,
  fault: 'none' | 'lostAnswer' | { readonly cutAfter: number },
): void {
  const { headers, method, url } = incoming;
  const outgoing = sendRequest({ ...target, method, path: url, headers }, (answer) => {
    if (fault === 'lostAnswer') {
      answer.resume();
      answer.once('end', () => response.socket?.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    if (fault === 'none') answer.pipe(response);
    else cut(answer, response, fault.cutAfter);
  });
  outgoing.on('error', () => response.socket?.destroy());
  response.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function cut(answer: IncomingMessage, response: ServerResponse, after: number): void {
  let passed = 0;
  const counted = new PassThrough();
  answer.pipe(counted);
  counted.on('data', (chunk: Buffer) => {
    const rest = chunk.subarray(0, after - passed);
    passed += chunk.length;
    if (passed <= after) {
      if (!response.write(chunk)) {
        counted.pause();
        response.once('drain', () => counted.resume());
      }
      return;
    }
    counted.pause();
    response.write(rest, () => response.socket?.destroySoon());
  });
  counted.once('end', () => response.end());
}
