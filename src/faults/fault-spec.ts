import { z } from 'zod';
import { toMilliseconds } from '../lib/clock.ts';
import type { Duration } from '../lib/clock.ts';
import { once } from '../lib/once.ts';
import type { Fault } from './fault-plan.ts';

/**
 * How a request shall fail: exactly one of these. Bytes are counted in the file that PostObject and PutObject receive,
 * and in the one that GetObject sends.
 *
 * - `code`: the request is refused with an error of its dialect. `message` and `details` replace the defaults of the
 *   error: placeholders of the message for an API call, XML elements for OSS.
 * - `resetAfter`: the connection is reset after that many bytes. Nothing is stored, deleted or created.
 * - `stallAfter`: after that many bytes, the file stops for `stallFor`, or until the client gives up.
 * - `bytesPerSecond`: the file is received or sent at this speed at most.
 * - `delay`: the request is carried out after this time.
 * - `truncateAnswerAfter`: the request is carried out; its response ends after that many bytes, counted from the
 *   status line on.
 * - `loseAnswer`: the request is carried out; the connection is reset instead of a response.
 *
 * API calls, HeadObject and DeleteObject have no file: for them `resetAfter` and `stallAfter` are 0, and
 * `bytesPerSecond` does not apply.
 */
export type FaultSpec<Code extends string = string> =
  | {
      readonly code: Code;
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
  /** How many requests; no limit when absent. */
  readonly times?: number | undefined;
  /** Only for matching object keys: a text in which `*` stands for any characters, or an expression. For OSS. */
  readonly key?: string | RegExp | undefined;
  /** The share of the requests that fail, from 0 to 1; drawn by a generator with a fixed seed. */
  readonly rate?: number | undefined;
  /** The seed of that generator; 1 when absent. */
  readonly seed?: number | undefined;
}

/** An operation that can fail. */
export interface FaultableOperation {
  /** What it can be refused with. */
  readonly codes: readonly string[];
  /** Whether it receives or sends a file, whose bytes a fault can count. */
  readonly hasFile: boolean;
  /** Whether it is a request for an object key. */
  readonly hasKey: boolean;
}

/** The operations that can fail, by their names. */
export type FaultCatalog = ReadonlyMap<string, FaultableOperation>;

/** Thrown for a fault spec that is not valid; the message says what is valid. */
export class FaultSpecError extends Error {
  override readonly name = 'FaultSpecError';
}

/** The longest time of a timer; with a longer time it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The length of the longest object key, in characters. */
const MAX_PATTERN_LENGTH = 1024;

/** Made for the first fault, because most gateways have none. */
const shapes = once(() => {
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
  const key = z.string().min(1).max(MAX_PATTERN_LENGTH);
  const spec = z.strictObject({
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
  const scope = z.strictObject({
    times: z.int().min(1).optional(),
    key: z.union([key, z.instanceof(RegExp)]).optional(),
    rate: z.number().min(0).max(1).optional(),
    seed: z.int().optional(),
  });
  const json = z.looseObject({
    operation: z.string(),
    times: z.unknown().optional(),
    key: z.string().optional(),
    rate: z.unknown().optional(),
    seed: z.unknown().optional(),
  });
  return { key, spec, scope, json };
});

/**
 * @returns the shape of everything that JSON of a fault may have, for a description of the format.
 *   `FaultRegistry.inject` reads it.
 */
export function faultJson(): z.ZodType {
  const { key, scope, spec } = shapes();
  return z.strictObject({
    operation: z.string(),
    ...spec.shape,
    ...scope.shape,
    key: key.optional(),
  });
}

/**
 * Splits JSON that has the operation, the fault spec and its scope in one object.
 * @throws FaultSpecError when it names no operation
 */
export function splitFaultJson(json: unknown): {
  readonly operation: string;
  readonly spec: unknown;
  readonly scope: Readonly<Record<'times' | 'key' | 'rate' | 'seed', unknown>>;
} {
  const { key, operation, rate, seed, times, ...spec } = parse(shapes().json, json);
  return { operation, spec, scope: { key, rate, seed, times } };
}

type SpecShape = z.output<ReturnType<typeof shapes>['spec']>;

const WAYS = [
  'code',
  'resetAfter',
  'stallAfter',
  'bytesPerSecond',
  'delay',
  'truncateAnswerAfter',
  'loseAnswer',
] as const;

/** Members that are valid only together with another one: [member, the other one]. */
const COMPANIONS = [
  ['message', 'code'],
  ['details', 'code'],
  ['stallFor', 'stallAfter'],
] as const;

/**
 * Reads a fault spec.
 * @throws FaultSpecError when there is no such operation, code or fault
 */
export function readFaultSpec(catalog: FaultCatalog, operation: string, spec: unknown): Fault {
  const known = catalog.get(operation);
  if (known === undefined) {
    throw new FaultSpecError(
      `there is no operation "${operation}"; there are ${[...catalog.keys()].join(', ')}`,
    );
  }
  const shape = parse(shapes().spec, spec);
  const given = WAYS.filter((way) => shape[way] !== undefined);
  if (given.length !== 1) {
    throw new FaultSpecError(`a fault is exactly one of ${WAYS.join(', ')}`);
  }
  for (const [companion, way] of COMPANIONS) {
    if (shape[companion] !== undefined && shape[way] === undefined) {
      throw new FaultSpecError(`${companion} is allowed only with ${way}`);
    }
  }
  if (shape.code !== undefined && !known.codes.includes(shape.code)) {
    throw new FaultSpecError(
      `${operation} has no error "${shape.code}"; it has ${known.codes.join(', ')}`,
    );
  }
  const fault = toFault(shape);
  if (!known.hasFile) rejectFileFaults(operation, fault);
  return fault;
}

/**
 * Reads which requests a fault is for.
 * @throws FaultSpecError when the scope is not valid
 */
export function readScope(catalog: FaultCatalog, operation: string, scope: unknown): FaultScope {
  const shape = parse(shapes().scope, scope);
  if (shape.key !== undefined && catalog.get(operation)?.hasKey !== true) {
    const named = [...catalog].flatMap(([name, { hasKey }]) => (hasKey ? [name] : []));
    throw new FaultSpecError(`only faults of ${named.join(', ')} can have a key`);
  }
  if (shape.seed !== undefined && shape.rate === undefined) {
    throw new FaultSpecError('seed is allowed only with rate');
  }
  return shape;
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaultSpecError(explainIssues(result.error));
}

/** @returns all problems of a value, in one line */
export function explainIssues({ issues }: z.ZodError): string {
  return issues
    .map(({ message, path }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}

function toFault(shape: SpecShape): Fault {
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

function rejectFileFaults(operation: string, fault: Fault): void {
  const countsBytes = (fault.kind === 'reset' || fault.kind === 'stall') && fault.after > 0;
  if (fault.kind !== 'slow' && !countsBytes) return;
  throw new FaultSpecError(
    `${operation} has no file: resetAfter and stallAfter must be 0, and bytesPerSecond does not apply`,
  );
}
