import type { ServerResponse } from 'node:http';
import { MAX_MISMATCHES } from '../refusals/refusal-record.ts';
import type { CorsMismatch } from '../refusals/refusal-record.ts';
import { ossError } from './errors.ts';
import type { OssRequest } from './oss-request.ts';

/** One rule of a bucket's CORS configuration (OSS "PutBucketCors"). */
export interface CorsRule {
  /** Each with at most one `*`. */
  readonly allowedOrigins: readonly string[];
  /** Of GET, PUT, DELETE, POST, HEAD. */
  readonly allowedMethods: readonly string[];
  /** Each with at most one `*`; compared without regard to case. */
  readonly allowedHeaders: readonly string[];
  /** Response headers that a script may read. No `*`. */
  readonly exposeHeaders: readonly string[];
  /** How long a browser may cache the response to a preflight. */
  readonly maxAgeSeconds?: number | undefined;
}

interface CorsRequest {
  readonly origin: string;
  readonly method: string;
  /** Lower-case. */
  readonly headers: ReadonlySet<string>;
}

/**
 * Responds to the preflight of a browser (OSS "OptionObject"). It needs no signature.
 * @throws OssError when the request is incomplete, or no rule allows it
 */
export function respondToPreflight(
  rules: readonly CorsRule[],
  request: OssRequest,
  response: ServerResponse,
): void {
  const origin = request.headers.get('origin');
  if (!origin) throw ossError('BadRequest');
  const method = request.headers.get('access-control-request-method');
  if (!method) throw ossError('BadRequest.requestMethod');
  const headers = splitList(request.headers.get('access-control-request-headers') ?? '');
  const rule = findRule(rules, { origin, method, headers });
  if (rule === undefined) throw ossError('AccessForbidden');

  setAllowed(response, rule, origin);
  response.setHeader('Access-Control-Allow-Methods', rule.allowedMethods.join(', '));
  if (headers.size > 0) response.setHeader('Access-Control-Allow-Headers', [...headers].join(', '));
  if (rule.maxAgeSeconds !== undefined) {
    response.setHeader('Access-Control-Max-Age', String(rule.maxAgeSeconds));
  }
  response.statusCode = 200;
  response.setHeader('Content-Length', '0');
  response.end();
}

/** Adds the headers that let the script of an origin read the response, if a rule allows it. Never throws. */
export function allowOrigin(
  rules: readonly CorsRule[],
  request: OssRequest,
  response: ServerResponse,
): void {
  const origin = request.headers.get('origin');
  if (!origin) return;
  const rule = findRule(rules, { origin, method: request.method, headers: new Set() });
  if (rule !== undefined) setAllowed(response, rule, origin);
}

function setAllowed(response: ServerResponse, rule: CorsRule, origin: string): void {
  const isAnyOrigin = rule.allowedOrigins.includes('*');
  response.setHeader('Access-Control-Allow-Origin', isAnyOrigin ? '*' : origin);
  // OSS sends it only with its option ResponseVary; without it, caches would return responses for another origin.
  if (!isAnyOrigin) response.setHeader('Vary', 'Origin');
  if (rule.exposeHeaders.length > 0) {
    response.setHeader('Access-Control-Expose-Headers', rule.exposeHeaders.join(', '));
  }
}

/**
 * Explains a preflight that was refused. One header is named for each rule, and the work is bounded: any stranger can send
 * a preflight.
 * @returns what each rule does not allow; empty when there are no rules
 */
export function findMismatches(rules: readonly CorsRule[], request: OssRequest): CorsMismatch[] {
  const origin = request.headers.get('origin') ?? '';
  const method = request.headers.get('access-control-request-method') ?? '';
  const headers = splitList(request.headers.get('access-control-request-headers') ?? '');
  return rules.slice(0, MAX_MISMATCHES).flatMap((rule, index) => {
    const mismatch = (
      what: CorsMismatch['what'],
      value: string,
      allowed: readonly string[],
    ): CorsMismatch => ({ rule: index + 1, what, value, allowed: allowed.join(', ') });
    const header = findRefusedHeader(rule, headers);
    return [
      ...(allowsOrigin(rule, origin) ? [] : [mismatch('origin', origin, rule.allowedOrigins)]),
      ...(rule.allowedMethods.includes(method)
        ? []
        : [mismatch('method', method, rule.allowedMethods)]),
      ...(header === undefined ? [] : [mismatch('header', header, rule.allowedHeaders)]),
    ];
  });
}

/** @returns the first rule that allows origin, method and headers of a request */
function findRule(rules: readonly CorsRule[], request: CorsRequest): CorsRule | undefined {
  return rules.find(
    (rule) =>
      allowsOrigin(rule, request.origin) &&
      rule.allowedMethods.includes(request.method) &&
      findRefusedHeader(rule, request.headers) === undefined,
  );
}

function allowsOrigin({ allowedOrigins }: CorsRule, origin: string): boolean {
  return allowedOrigins.some((pattern) => matches(pattern, origin));
}

/** @returns the first header that a rule does not allow */
function findRefusedHeader(
  { allowedHeaders }: CorsRule,
  headers: ReadonlySet<string>,
): string | undefined {
  const patterns = allowedHeaders.map((pattern) => pattern.toLowerCase());
  return [...headers].find((header) => !patterns.some((pattern) => matches(pattern, header)));
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return (
    text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
  );
}

function splitList(text: string): ReadonlySet<string> {
  const items = text.split(',').map((item) => item.trim().toLowerCase());
  return new Set(items.filter((item) => item !== ''));
}
