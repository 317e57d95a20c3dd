import { z } from 'zod';
import { toMilliseconds } from '../lib/clock.ts';
import type { Duration } from '../lib/clock.ts';
import type { Fault } from './fault-plan.ts';

/**
 * What shall go wrong, in one of these ways. Byte counts of requests are bytes of the uploaded file.
 *
 * - `code`: the request is refused with an error of its dialect. `message` and `details` replace what the error says
 *   by default: placeholders of the message for an API call, XML elements for PostObject.
 * - `resetAfter`: the connection is reset when so many bytes were read. Nothing is carried out.
 * - `stallAfter`: nothing more is read after so many bytes; for `stallFor`, or until the client gives up.
 * - `bytesPerSecond`: the file is read no faster.
 * - `delay`: the request is carried out, but later.
 * - `truncateAnswerAfter`: the request is carried out, its answer ends after so many bytes, status line included.
 * - `loseAnswer`: the request is carried out, and the connection is reset instead of an answer.
 *
 * API calls have no file: for them `resetAfter` and `stallAfter` are 0, and `bytesPerSecond` does not apply.
 */
export type FaultSpec =
  | {
      readonly code: string;
      readonly message?: string | undefined;
      readonly details?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly resetAfter: number }
  | { readonly stallAfter: number; readonly stallFor?: Duration | undefined }
  | { readonly bytesPerSecond: number }
  | { readonly delay: Duration }
  | { readonly truncateAnswerAfter: number }
  | { readonly loseAnswer: true };

/** Which requests a fault is for. */
export interface FaultScope {
  /** How many requests; every one when absent. */
  readonly times?: number | undefined;
  /** Only for object keys like this: text in which `*` stands for any characters, or an expression. For PostObject. */
  readonly key?: string | RegExp | undefined;
  /** The share of the requests that fails, from 0 to 1, drawn by a generator that repeats itself. */
  readonly rate?: number | undefined;
  /** What that generator starts from; 1 when absent. */
  readonly seed?: number | undefined;
}

/** The operations and the error codes of each that faults can be ordered for. */
export type FaultCatalog = ReadonlyMap<string, readonly string[]>;

/** The one operation that receives a file. */
export const POST_OBJECT = 'PostObject';

/** A fault that cannot be ordered; the message says what can. */
export class FaultOrderError extends Error {
  override readonly name = 'FaultOrderError';
}

/** What a timer can wait for at most; it fires at once when it is asked to wait longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** As long as the longest object key, in characters. */
const MAX_PATTERN_LENGTH = 1024;

const count = z.int().min(0);
const span = z.number().min(0);
const duration = z
  .strictObject({
    milliseconds: span.optional(),
    seconds: span.optional(),
    minutes: span.optional(),
    hours: span.optional(),
    days: span.optional(),
  })
  .transform((parts) =>
    toMilliseconds(
      Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)),
    ),
  )
  .refine((time) => time <= MAX_TIMER_MS, `expected at most ${MAX_TIMER_MS} milliseconds`);

const orderShape = z.strictObject({
  code: z.string().optional(),
  message: z.string().optional(),
  details: z.record(z.string(), z.string()).optional(),
  resetAfter: count.optional(),
  stallAfter: count.optional(),
  stallFor: duration.optional(),
  bytesPerSecond: z.int().min(1).optional(),
  delay: duration.optional(),
  truncateAnswerAfter: count.optional(),
  loseAnswer: z.literal(true).optional(),
});

const scopeShape = z.strictObject({
  times: z.int().min(1).optional(),
  key: z.union([z.string().min(1).max(MAX_PATTERN_LENGTH), z.instanceof(RegExp)]).optional(),
  rate: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
});

const jsonOrder = z.looseObject({
  operation: z.string(),
  times: z.unknown().optional(),
  key: z.string().optional(),
  rate: z.unknown().optional(),
  seed: z.unknown().optional(),
});

/**
 * Takes an order apart that has the operation, the fault and its scope in one object, as JSON has it.
 * @throws FaultOrderError when it names no operation
 */
export function splitOrder(json: unknown): {
  readonly operation: string;
  readonly order: unknown;
  readonly scope: Readonly<Record<'times' | 'key' | 'rate' | 'seed', unknown>>;
} {
  const { key, operation, rate, seed, times, ...order } = parse(jsonOrder, json);
  return { operation, order, scope: { key, rate, seed, times } };
}

type OrderShape = z.output<typeof orderShape>;

const WAYS = [
  'code',
  'resetAfter',
  'stallAfter',
  'bytesPerSecond',
  'delay',
  'truncateAnswerAfter',
  'loseAnswer',
] as const;

/** Who needs whom. */
const COMPANIONS = [
  ['message', 'code'],
  ['details', 'code'],
  ['stallFor', 'stallAfter'],
] as const;

/**
 * Reads an order.
 * @throws FaultOrderError when there is no such operation, code or fault
 */
export function readOrder(catalog: FaultCatalog, operation: string, order: unknown): Fault {
  const codes = catalog.get(operation);
  if (codes === undefined) {
    throw new FaultOrderError(
      `there is no operation "${operation}"; there are ${[...catalog.keys()].join(', ')}`,
    );
  }
  const shape = parse(orderShape, order);
  const given = WAYS.filter((way) => shape[way] !== undefined);
  if (given.length !== 1) {
    throw new FaultOrderError(`a fault is exactly one of ${WAYS.join(', ')}`);
  }
  for (const [companion, way] of COMPANIONS) {
    if (shape[companion] !== undefined && shape[way] === undefined) {
      throw new FaultOrderError(`${companion} goes with ${way}`);
    }
  }
  if (shape.code !== undefined && !codes.includes(shape.code)) {
    throw new FaultOrderError(
      `${operation} has no error "${shape.code}"; it has ${codes.join(', ')}`,
    );
  }
  const fault = toFault(shape);
  if (operation !== POST_OBJECT) checkFileless(operation, fault);
  return fault;
}

/**
 * Reads which requests a fault is for.
 * @throws FaultOrderError when that cannot be
 */
export function readScope(operation: string, scope: unknown): FaultScope {
  const shape = parse(scopeShape, scope);
  if (shape.key !== undefined && operation !== POST_OBJECT) {
    throw new FaultOrderError(`only faults of ${POST_OBJECT} can be for a key`);
  }
  if (shape.seed !== undefined && shape.rate === undefined) {
    throw new FaultOrderError('seed goes with rate');
  }
  return shape;
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaultOrderError(explainIssues(result.error));
}

/** @returns all that is wrong with a value, in one line */
export function explainIssues({ issues }: z.ZodError): string {
  return issues
    .map(({ message, path }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}

function toFault(shape: OrderShape): Fault {
  const { bytesPerSecond, code, delay, message, resetAfter, stallAfter, stallFor } = shape;
  if (code !== undefined) {
    const details = shape.details ?? {};
    return { kind: 'refuse', code, ...(message !== undefined && { message }), details };
  }
  if (resetAfter !== undefined) return { kind: 'reset', after: resetAfter };
  if (stallAfter !== undefined) {
    return { kind: 'stall', after: stallAfter, ...(stallFor !== undefined && { time: stallFor }) };
  }
  if (bytesPerSecond !== undefined) return { kind: 'slow', bytesPerSecond };
  if (delay !== undefined) return { kind: 'delay', time: delay };
  const { truncateAnswerAfter } = shape;
  if (truncateAnswerAfter !== undefined) return { kind: 'truncate', after: truncateAnswerAfter };
  return { kind: 'loseAnswer' };
}

function checkFileless(operation: string, fault: Fault): void {
  const countsBytes = (fault.kind === 'reset' || fault.kind === 'stall') && fault.after > 0;
  if (fault.kind !== 'slow' && !countsBytes) return;
  throw new FaultOrderError(
    `${operation} has no file: resetAfter and stallAfter must be 0, and bytesPerSecond does not apply`,
  );
}
