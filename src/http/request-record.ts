import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { keptIfLong } from '../lib/kept-text.ts';
import { peerOf } from './peer.ts';
import { gatewayUrl } from './public-host.ts';
import { bytesGiven } from './request-chunks.ts';
import type {
  Dialect,
  Evidence,
  RefusalRecord,
  RefusalReporter,
} from '../refusals/refusal-record.ts';
import { withoutSecret } from '../refusals/refusal-record.ts';
import type { RefusalReason } from '../refusals/refusal-reason.ts';

export type { Dialect } from '../refusals/refusal-record.ts';

/** What is known of a request when its response has ended. */
export interface RequestRecord {
  /** Empty for bytes that are no request. */
  readonly requestId: string;
  /** Of a valid `traceparent` header (W3C Trace Context). */
  readonly traceId: string | undefined;
  readonly dialect: Dialect;
  readonly operation: string | undefined;
  /** `OK`, or the dialect's own code: an IoT call that is refused may have the status 200. */
  readonly code: string;
  /** The HTTP status; 0 when the client was gone before the response. */
  readonly status: number;
  /** Why it was refused; undefined for a success. */
  readonly reason: RefusalReason | undefined;
  /** The account of the access key that it names, whether or not its signature is right. */
  readonly account: string | undefined;
  /** The object keys that it names. */
  readonly keys: readonly string[];
  /** The state of its uploads before and after it; `to` only when it has changed something. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Bytes of the two bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From the head of the request to the end of its response, in milliseconds. */
  readonly ms: number;
  /** The address of the client. */
  readonly peer: string | undefined;
  /** When it began, by the machine's clock, in Unix milliseconds. */
  readonly at: number;
}

/** Is called for each request after its response has ended. */
export type RequestObserver = (record: RequestRecord) => void;

/** What recording works with. */
export interface Recording {
  /** Is called for each request before it is handled. */
  readonly begun?: ((dialect: Dialect) => void) | undefined;
  /** Is called once for each request that `begun` was called for, with the same dialect, when it has ended. */
  readonly ended?: ((dialect: Dialect) => void) | undefined;
  readonly observe: RequestObserver;
  readonly wallClock: Clock;
  /** Measures durations. */
  readonly monotonicClock: Clock;
}

/** The code of a request whose client has closed the connection before it had the whole response. */
export const CLIENT_VANISHED = 'ClientVanished';

/** A request that is being handled. Those who handle it fill in what they learn. */
export class OpenRecord implements RequestRecord {
  requestId: string;
  dialect: Dialect;
  readonly traceId: string | undefined;
  readonly peer: string | undefined;
  readonly at: number;
  operation: string | undefined;
  code = 'OK';
  reason: RefusalReason | undefined;
  account: string | undefined;
  keys: readonly string[] = [];
  from: string | undefined;
  to: string | undefined;
  /** Given when less than the `Content-Length` of the response was sent, or it has none. */
  bytesSent: number | undefined;
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  ms = 0;
  /** What was sent, of a request that is refused. */
  evidence: Evidence = {};
  /** Whether only a refusal of it is observed: monitoring asks for the same every few seconds. */
  isQuiet = false;
  #isHandled = false;
  #complete: (() => void) | undefined;

  constructor(request: IncomingMessage, requestId: string, dialect: Dialect, at: number) {
    this.requestId = requestId;
    this.dialect = dialect;
    this.at = at;
    this.traceId = traceIdOf(request);
    this.peer = peerOf(request);
  }

  /** Passes the request on to another dialect, which has an id of its own for it. */
  passTo(dialect: Dialect, requestId: string): void {
    this.dialect = dialect;
    this.requestId = requestId;
  }

  /** Notes that the request was handled to its end, also without a response. Idempotent. */
  handled(): void {
    if (this.#isHandled) return;
    this.#isHandled = true;
    this.#complete?.();
  }

  /** Calls back when the request was handled. */
  whenHandled(complete: () => void): void {
    if (this.#isHandled) complete();
    else this.#complete = complete;
  }

  /** Notes that the request is refused. */
  refuse(code: string, reason: RefusalReason): void {
    this.code = code;
    this.reason = reason;
  }

  /** Notes that it was not handled because of a fault of the gateway. */
  fail(): void {
    this.refuse('InternalError', 'internal');
  }

  /** Notes that the client has closed the connection before it had the whole response. */
  vanish(): void {
    this.refuse(CLIENT_VANISHED, 'incomplete');
  }
}

/**
 * Begins the record of a request. It is observed when the request was handled, see `handled`, and its response has ended
 * or its client is gone: an upload may be stored after its client has gone.
 */
export function openRecord(
  { begun, ended, monotonicClock, observe, wallClock }: Recording,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  dialect: Dialect,
): OpenRecord {
  const record = new OpenRecord(request, requestId, dialect, wallClock.now());
  const { socket } = request;
  begun?.(dialect);
  const begunAt = monotonicClock.now();
  const readBefore = socket.bytesRead;
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : 0;
    const isFinished = response.writableFinished;
    const received = socket.bytesRead - readBefore;
    record.whenHandled(() => {
      const isCut = status === 0 || (!isFinished && isIncomplete(response, record));
      if (isCut && isUnchanged(record)) record.vanish();
      record.status = status;
      record.bytesIn = bodyBytes(request, received);
      if (status !== 0) record.bytesOut = record.bytesSent ?? announcedBytes(response);
      record.ms = monotonicClock.now() - begunAt;
      cutNames(record);
      ended?.(dialect);
      if (!record.isQuiet || record.code !== 'OK') observe(record);
    });
  });
  return record;
}

/**
 * A stranger may send megabytes in place of the names that a record keeps, and a client that encodes its query twice sends
 * its signature and its token there.
 */
function cutNames(record: OpenRecord): void {
  const { keys, operation } = record;
  if (operation !== undefined)
    record.operation = withoutSecret(keptIfLong(operation, MAX_OPERATION));
  if (keys.some(({ length }) => length > MAX_KEY)) {
    record.keys = keys.map((key) => keptIfLong(key, MAX_KEY));
  }
}

/** Whether a request has neither failed nor changed anything. A stream of events, which is quiet, always ends early. */
function isUnchanged({ code, isQuiet, to }: OpenRecord): boolean {
  return code === 'OK' && to === undefined && !isQuiet;
}

/** Whether a part of the response was not even passed to a connection that has closed. */
function isIncomplete(response: ServerResponse, { bytesSent }: OpenRecord): boolean {
  return bytesSent === undefined ? !response.writableEnded : bytesSent < announcedBytes(response);
}

/** Limits in characters. The longest object key has 1023 bytes. */
const MAX_OPERATION = 128;
const MAX_KEY = 1023;

/**
 * @param received - bytes that the connection has read since the request was passed to its handler; what has arrived
 *   together with the head is not among them
 */
function bodyBytes(request: IncomingMessage, received: number): number {
  const { complete, headers, readableEnded } = request;
  const announced = headers['content-length'];
  if (announced !== undefined && complete) return Number(announced);
  if (announced === undefined && headers['transfer-encoding'] === undefined) return 0;
  const read = bytesGiven(request);
  // Chunks have heads of their own, which are not part of the body.
  if (complete && readableEnded && read > 0) return read;
  return Math.max(read, Math.min(received, Number(announced ?? Infinity)));
}

function announcedBytes(response: ServerResponse): number {
  return response.req.method === 'HEAD' ? 0 : Number(response.getHeader('content-length') ?? 0);
}

const TRACE_PARENT =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;

/** @returns the trace id of a valid `traceparent` (W3C Trace Context, 3.2) */
function traceIdOf({ headers }: IncomingMessage): string | undefined {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? TRACE_PARENT.exec(traceparent)?.[1] : undefined;
}

/** What reports refusals, and names the page with their story. */
export interface ExplainDependencies {
  readonly refusals: RefusalReporter;
  /** The address of the gateway as clients see it; derived from each request when undefined. */
  readonly publicUrl: string | undefined;
  /** Whether the console is on, which shows the story. */
  readonly console: boolean;
}

/** Has the URL of the page that explains a refusal. No rule for CORS exposes it. */
const EXPLAIN_HEADER = 'x-ota-gateway-explain';
/** Clients read 8 to 16 KiB of headers, and may send a Host that is almost as long. */
const LINK = /^[\x21-\x7e]{1,1024}$/;

/** Reports a refusal before its response is sent; the response names the page that explains it, if it is kept. */
export function reportRefusal(
  { console: hasConsole, publicUrl, refusals }: ExplainDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: RefusalRecord,
): void {
  const isKept = refusals.report(refusal);
  if (!isKept || !hasConsole) return;
  const url = `${gatewayUrl(request, publicUrl)}/_gateway/console/#/refusals/${refusal.requestId}`;
  if (LINK.test(url)) response.setHeader(EXPLAIN_HEADER, url);
}
