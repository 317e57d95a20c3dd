import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { clearInterval, setInterval } from '../../lib/timers.ts';
import { EVENT_TYPES } from '../../operator/events.ts';
import type { EventHub, GatewayEvent } from '../../operator/events.ts';
import { queryOf, readInput } from '../route.ts';
import { callerOf } from './authenticate.ts';
import { isStillAdmitted } from './callers.ts';
import type { KeyDependencies } from './callers.ts';
import { noteStream } from './record-calls.ts';

/** The query of the event stream. */
export const eventQuery = z.strictObject({
  types: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(EVENT_TYPES)))
    .exactOptional()
    .describe(`only these, separated by commas: ${EVENT_TYPES.join(', ')}`),
  fold: z
    .enum(['on', 'off'])
    .exactOptional()
    .describe(
      'on: of more than 20 events in 250 ms, the rest becomes one event lost; off by default',
    ),
});

/** How often a comment is sent, so that no proxy takes the connection for a dead one. In milliseconds. */
const HEARTBEAT_MS = 15_000;
/** Bytes that may wait for a listener. One that reads more slowly is cut; it can come back with its last id. */
export const MAX_WAITING = 64 * 1024;
/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 1000;

interface StreamDependencies extends KeyDependencies {
  readonly hub: EventHub;
}

/**
 * Sends events as they happen (WHATWG HTML, "Server-sent events"). Ends the stream of a client whose access key or rights
 * have ended: when the accounts are read again or the session is signed out, else with the next heartbeat, as that of a
 * session that has expired.
 */
export function createEventStream(deps: StreamDependencies): RequestHandler {
  const { accounts, hub, sessions } = deps;
  const format = createFormatter();
  return (request, response) => {
    noteStream(request);
    const { fold, types } = readInput(eventQuery, queryOf(request));
    const caller = callerOf(request);
    const { session, viewer } = caller;
    if (request.method === 'HEAD') {
      // It would take the place of a listener, and receive nothing.
      response.writeHead(200, HEADERS).end();
      return;
    }
    const waiting: Buffer[] = [];
    let send = (bytes: Buffer): void => {
      waiting.push(bytes);
    };
    const forget = hub.listen({
      ...{ viewer, types, fold: fold === 'on', group: session?.id },
      lastEventId: request.get('last-event-id'),
      onEvent: (event) => {
        send(format(event));
      },
      onEnd: () => {
        end();
        response.end();
      },
    });
    const check = (): void => {
      if (isStillAdmitted(deps, caller)) return;
      end();
      response.end();
    };
    const heartbeat = setInterval(() => {
      send(HEARTBEAT);
      check();
    }, HEARTBEAT_MS).unref();
    const watches = [
      accounts.onReplaced(check),
      ...(session && sessions ? [sessions.onEnded(check)] : []),
    ];
    const end = (): void => {
      clearInterval(heartbeat);
      for (const stopWatching of watches) stopWatching();
      forget();
    };
    // Its client may have gone while the request was authenticated.
    if (response.destroyed || response.closed) {
      end();
      return;
    }
    begin(response);
    send = (bytes) => {
      write(response, bytes);
    };
    for (const bytes of waiting) send(bytes);
    response.once('close', end);
  };
}

const HEARTBEAT = Buffer.from(':\n\n');

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // nginx would keep the events back.
  'X-Accel-Buffering': 'no',
};

function begin(response: Response): void {
  response.writeHead(200, HEADERS);
  response.write(`retry: ${String(RETRY_MS)}\n\n`);
}

function write(response: Response, bytes: Buffer): void {
  if (response.writableEnded || response.destroyed) return;
  response.write(bytes);
  if (response.writableLength <= MAX_WAITING) return;
  // Node collects what is written in one turn of the event loop. Only what the connection does not take counts.
  response.socket?.uncork();
  if (response.writableLength > MAX_WAITING) response.destroy();
}

/** Makes what formats events. The listeners of an event get it one after the other, and share the same bytes. */
function createFormatter(): (event: GatewayEvent) => Buffer {
  let last: { readonly event: GatewayEvent; readonly bytes: Buffer } | undefined;
  return (event) => {
    if (last?.event !== event) {
      const text = `id: ${event.id}\nevent: ${event.type}\ndata: ${event.json()}\n\n`;
      last = { event, bytes: Buffer.from(text) };
    }
    return last.bytes;
  };
}
