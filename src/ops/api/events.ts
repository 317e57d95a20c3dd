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
});

/** How often a comment is sent, so that no proxy takes the connection for a dead one. In milliseconds. */
const HEARTBEAT_MS = 15_000;
/** Bytes that may wait for a listener. One that reads more slowly is cut; it can come back with its last id. */
const MAX_WAITING = 256 * 1024;
/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 2000;

interface StreamDependencies extends KeyDependencies {
  readonly hub: EventHub;
}

/**
 * Sends events as they happen (WHATWG HTML, "Server-sent events"). Ends the stream of a client whose access key or rights
 * have ended: when the accounts are read again, else with the next heartbeat.
 */
export function createEventStream(deps: StreamDependencies): RequestHandler {
  const { accounts, hub } = deps;
  return (request, response) => {
    noteStream(request);
    const { types } = readInput(eventQuery, queryOf(request));
    const caller = callerOf(request);
    if (request.method === 'HEAD') {
      // It would take the place of a listener, and receive nothing.
      response.writeHead(200, HEADERS).end();
      return;
    }
    const waiting: string[] = [];
    let send = (text: string): void => {
      waiting.push(text);
    };
    const forget = hub.listen({
      ...{ viewer: caller.viewer, types },
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
      send(':\n\n');
      check();
    }, HEARTBEAT_MS).unref();
    const stopChecking = accounts.onReplaced(check);
    const end = (): void => {
      clearInterval(heartbeat);
      stopChecking();
      forget();
    };
    // Its client may have gone while the request was authenticated.
    if (response.destroyed || response.closed) {
      end();
      return;
    }
    begin(response);
    send = (text) => {
      write(response, text);
    };
    for (const text of waiting) send(text);
    response.once('close', end);
  };
}

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

function write(response: Response, text: string): void {
  if (response.writableEnded || response.destroyed) return;
  response.write(text);
  if (response.writableLength > MAX_WAITING) response.destroy();
}

function format({ id, json, type }: GatewayEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${json()}\n\n`;
}
