import { keyInPath } from '../../../operator/key-in-path.ts';
import { gatewayClock } from './clock.ts';

/** A response of the gateway with an error, or none at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** For programs, such as `UploadNotFound`. */
  readonly code: string;
  /** What to do. */
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** The folder of this page, `/_gateway/console/`; a proxy may have put a prefix before it. */
const PAGE = new URL('.', document.baseURI);

/** The folder that the session's cookie is for: `/_gateway/`, with the prefix of a proxy. */
export const COOKIE_PATH = new URL('../', PAGE).pathname;

/** Where forms are posted to: the root of the gateway. */
export const GATEWAY = new URL('../../', PAGE);

/** @returns the URL of the operator API below its root */
export function apiUrl(path: string): string {
  return new URL(`../api/${path}`, PAGE).href;
}

/** @returns the path of an upload, for {@link callApi} */
export function uploadPath(key: string): string {
  return `uploads/${encodeURIComponent(keyInPath(key))}`;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a call sends. */
export interface CallOptions {
  readonly method?: Method;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** Is called when the gateway refuses a call because nobody is signed in any more. */
export const onSignedOut = new Set<() => void>();

/**
 * Calls the operator API.
 * @param path - below `/_gateway/api/`, with its query
 * @throws ApiError
 */
export function callApi<T>(path: string, options?: CallOptions): Promise<T> {
  return call<T>(apiUrl(path), options);
}

/** Calls a route of the console itself, such as `session`. @throws ApiError */
export function callConsole<T>(path: string, options?: CallOptions): Promise<T> {
  return call<T>(new URL(path, PAGE).href, options);
}

/** Calls one of the test controls. @throws ApiError */
export function callTest<T>(path: string, options?: CallOptions): Promise<T> {
  return call<T>(new URL(`../test/${path}`, PAGE).href, options);
}

async function call<T>(
  url: string,
  { body, method = 'GET', signal }: CallOptions = {},
): Promise<T> {
  const response = await request(url, {
    method,
    headers: {
      accept: 'application/json',
      'x-gateway-console': '1',
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  gatewayClock.read(response.headers);
  const json = await readJson(response);
  if (response.ok) {
    // The gateway that serves this page makes it by the shapes of src/operator.
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions
    return json as T;
  }
  if (response.status === 401) for (const listener of onSignedOut) listener();
  // A proxy in front of a gateway that is away.
  if (json === undefined && AWAY.has(response.status)) throw unreachable();
  throw toApiError(response.status, json);
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
}

const UNREACHABLE = 'Unreachable';

/** Of a proxy that does not reach the gateway: bad gateway, unavailable, timeout. */
export const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

function unreachable(): ApiError {
  return new ApiError(0, UNREACHABLE, 'the gateway does not answer');
}

/** @returns whether a call has failed because the gateway does not answer at all */
export function isUnreachable(problem: unknown): boolean {
  return problem instanceof ApiError && problem.code === UNREACHABLE;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function toApiError(status: number, json: unknown): ApiError {
  const error = memberOf(json, 'error');
  // The test controls respond with a text.
  if (typeof error === 'string') return new ApiError(status, 'Refused', error);
  const [code, message, hint] = ['code', 'message', 'hint'].map((name) => {
    const value = memberOf(error, name);
    return typeof value === 'string' ? value : undefined;
  });
  return new ApiError(status, code ?? 'Unknown', message ?? `HTTP ${String(status)}`, hint);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
