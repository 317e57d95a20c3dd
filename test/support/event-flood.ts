import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, request } from 'node:http';
import { pipeline } from 'node:stream';

/** A gateway whose event stream is made by a test. */
export interface EventFlood extends AsyncDisposable {
  readonly url: string;
  /** Sends an event to every page that listens. */
  send(type: string, data: object): void;
}

/** Stands before a gateway: passes every request on, except for the event stream, which it sends itself. */
export async function startEventFlood(port: number): Promise<EventFlood> {
  const streams = new Set<ServerResponse>();
  let count = 0;
  const server = createServer((received, response) => {
    const { headers, method, url: path = '/' } = received;
    if (path.startsWith('/_gateway/api/events')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      streams.add(response);
      response.once('close', () => streams.delete(response));
      return;
    }
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, response, () => undefined);
    });
    pipeline(received, sent, () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    send: (type, data) => {
      count += 1;
      const text = `id: flood-${String(count)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
      for (const stream of streams) stream.write(text);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
