import { z } from 'zod';
import { duration } from '../../config/units.ts';
import { quoted } from '../../lib/quoted.ts';
import type { RequestShape } from '../../operator/shapes.ts';
import { requestShape } from '../../operator/shapes.ts';
import { displayWidth, shortenMiddle } from '../columns.ts';
import { CommandError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { readEvents } from '../event-stream.ts';
import { openOperatorCall } from '../operator-api.ts';
import { outputFlags, painter, print, printJsonLine, say } from '../output.ts';
import type { Paint } from '../output.ts';
import { formatSize } from '../people.ts';
import { parseFlags } from '../parse-flags.ts';
import { untilInterrupted } from '../watch.ts';

const flags = z.looseObject({
  ...outputFlags.shape,
  errors: z.boolean().default(false),
  operation: z.string().optional(),
  key: z.string().optional(),
  slow: duration.optional(),
});

type TraceFlags = z.infer<typeof flags>;

/** Prints each request that a gateway handles, until Ctrl+C. */
export async function trace(given: unknown): Promise<void> {
  const { color, errors, json, key, operation, slow, ...rest } = parseFlags(flags, given);
  const desk = openDesk(rest);
  const { url } = await desk.findGateway();
  const signal = untilInterrupted();
  const call = { method: 'GET', path: '/events', query: { types: 'request' } } as const;
  const response = await openOperatorCall(desk.clientFor(url), call, signal);
  // With JSON, standard error is for errors only.
  const note = json ? () => undefined : say;
  note(`requests of ${url}, as they end; Ctrl+C ends this`);
  const paint = painter({ color, json });
  const filters = { errors, key, operation, slow };
  try {
    for await (const { data, type } of readEvents(bytesOf(url, response))) {
      if (type === 'lost') note('some requests are missing here: this command was too slow');
      const request = type === 'request' ? parse(data) : undefined;
      if (request === undefined || !isWanted(request, filters)) continue;
      if (json) printJsonLine(request);
      else print(`${describeRequest(request, paint, process.stdout.columns)}\n`);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (signal.aborted) return;
  throw streamEnded(url);
}

/** @throws CommandError when the connection breaks */
async function* bytesOf(url: string, { body }: Response): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body;
  } catch (cause) {
    throw streamEnded(url, cause);
  }
}

function streamEnded(url: string, cause?: unknown): CommandError {
  const message = `${url} has ended the stream of its requests`;
  const hint = 'It was stopped, or this command was too slow';
  return new CommandError('StreamEnded', message, hint, { cause });
}

function parse(data: string): RequestShape | undefined {
  const parsed = requestShape.safeParse(JSON.parse(data));
  return parsed.success ? parsed.data : undefined;
}

function isWanted(
  request: RequestShape,
  { errors, key, operation, slow }: Pick<TraceFlags, 'errors' | 'key' | 'operation' | 'slow'>,
): boolean {
  if (errors && request.code === 'OK') return false;
  if (operation !== undefined && request.operation?.toLowerCase() !== operation.toLowerCase())
    return false;
  const keys = request.keys ?? (request.key === undefined ? [] : [request.key]);
  if (key !== undefined && !keys.some((each) => each.includes(key))) return false;
  return slow === undefined || request.ms >= slow;
}

/** What a line has room for beside the key. */
const OTHERS = 90;
const SHORTEST_KEY = 20;

/**
 * @param width - columns of the terminal; undefined for any
 * @returns one line: time, status, operation, peer, duration, size, key, and what has become of it
 */
function describeRequest(request: RequestShape, paint: Paint, width?: number): string {
  const {
    code,
    from,
    key,
    keys = [],
    ms,
    operation,
    peer,
    reason,
    requestId,
    status,
    to,
  } = request;
  const isRefused = code !== 'OK';
  const shown = quoted(key ?? keys.join(' '));
  // A terminal that does not know its size has 0.
  const room =
    width === undefined || width === 0 ? Infinity : Math.max(SHORTEST_KEY, width - OTHERS);
  const outcome = isRefused
    ? [paint('red', code), reason ?? '', requestId].filter(Boolean).join('  ')
    : stateChange(from, to);
  return [
    timeOfDay(request.at),
    paint(isRefused ? 'red' : 'green', String(status)),
    pad(operation ?? '-', 20),
    pad(peer ?? '-', 15),
    `${ms.toFixed(0).padStart(6)} ms`,
    formatSize(Math.max(request.bytesIn, request.bytesOut)).padStart(10),
    shortenMiddle(shown, room),
    outcome,
  ]
    .join('  ')
    .trimEnd();
}

function stateChange(from: string | undefined, to: string | undefined): string {
  if (to === undefined) return '';
  return from === undefined || from === to ? to : `${from} -> ${to}`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** @returns the local time of day, with milliseconds */
function timeOfDay(iso: string): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${seconds}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
