import type { Request, RequestHandler, Router } from 'express';
import { z } from 'zod';
import { explainIssues } from '../faults/fault-spec.ts';
import { hasNul } from '../lib/nul.ts';
import { BadControl } from './responses.ts';

/** What a handler may return for a schema: the same type, but read-only. */
type Shown<T> = T extends readonly (infer E)[]
  ? readonly Shown<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Shown<T[K]> }
    : T;

/** The description of a route, from which its handler and its part of the OpenAPI document are made. */
export interface RouteDescription {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** As OpenAPI writes it: `/faults/{id}`. */
  readonly path: string;
  /** The name of the operation in generated clients. */
  readonly id: string;
  readonly summary: string;
  /** What each part of the path in braces is. The part `key` may contain slashes. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  /** The multipart/form-data that it reads instead of JSON. */
  readonly form?: z.ZodType;
  /** The status of a success; 200 when absent. */
  readonly status?: number;
  readonly response: z.ZodType;
  /** The media type of a success; JSON when absent. */
  readonly mediaType?: string;
  /** Other statuses that the route itself may respond with, and when. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** The body of a refusal; `{"error": "..."}` when absent. */
  readonly refusal?: z.ZodType;
}

/** A request whose parts were checked. */
interface ControlRequest<B, Q> {
  readonly body: B;
  readonly query: Q;
  /** @returns a part of the path, decoded */
  readonly param: (name: string) => string;
  readonly raw: Request;
}

/** A route whose handler works with `D`. */
export interface Route<D> extends RouteDescription {
  readonly handle: (deps: D, request: Request) => Promise<unknown>;
}

/** The schema of a route that reads no body, or no query. */
export const NOTHING = z.unknown();

/** @returns a function that describes routes whose handlers work with `D` */
export function routesOf<D>() {
  return <R extends z.ZodType, B, Q>({
    run,
    ...description
  }: RouteDescription & {
    readonly body: z.ZodType<B>;
    readonly query: z.ZodType<Q>;
    readonly response: R;
    readonly run: (
      deps: D,
      request: ControlRequest<B, Q>,
    ) => Shown<z.input<R>> | Promise<Shown<z.input<R>>>;
  }): Route<D> => ({
    ...description,
    handle: async (deps, raw) =>
      run(deps, {
        body: readInput(description.body, raw.body ?? {}),
        query: readInput(description.query, queryOf(raw)),
        param: (name) => plainPart(name, textOf(raw.params[name])),
        raw,
      }),
  });
}

/** @throws BadControl that names everything that is wrong */
export function readInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BadControl(explainIssues(result.error));
}

/** @returns the query of a request; of a name that is given twice, the last value */
export function queryOf({ originalUrl }: Request): Record<string, string> {
  const start = originalUrl.indexOf('?');
  return start === -1 ? {} : Object.fromEntries(new URLSearchParams(originalUrl.slice(start + 1)));
}

function textOf(part: string | readonly string[] | undefined): string {
  return typeof part === 'string' ? part : (part ?? []).join('/');
}

/** No key, id or name has the character U+0000. */
function plainPart(name: string, text: string): string {
  if (!hasNul(text)) return text;
  throw new BadControl(`${name}: expected no character U+0000`);
}

/** What surrounds the operation of each request. */
export interface Surrounding {
  /** @returns false when the operation may not run any more */
  readonly begin: (request: Request) => boolean;
  /** Is called when the operation has succeeded. */
  readonly end: (request: Request) => void;
}

/** Adds the handlers of routes to a router. */
export function mountRoutes<D>(
  router: Router,
  routes: readonly Route<D>[],
  deps: D,
  around?: Surrounding,
): void {
  for (const route of routes) {
    router[route.method](expressPath(route.path), handlerOf(route, deps, around));
  }
}

function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_all, name) => (name === 'key' ? '*key' : `:${String(name)}`));
}

function handlerOf<D>(
  { handle, status = 200 }: Route<D>,
  deps: D,
  around: Surrounding | undefined,
): RequestHandler {
  return async (request, response) => {
    if (around?.begin(request) === false) return;
    const result = await handle(deps, request);
    around?.end(request);
    response.status(status).json(result);
  };
}
