import { isIP } from 'node:net';
import type * as CronModule from 'node-cron';
import { z } from 'zod';
import { CLOCK_RANGE } from '../lib/clock.ts';
import { loadModule } from '../lib/load-module.ts';

/** On or off. */
export const flag = z.union(
  [z.boolean(), z.stringbool({ truthy: ['on', 'true', '1'], falsy: ['off', 'false', '0'] })],
  {
    error: 'expected on or off',
  },
);
/** Text that is not empty. */
export const text = z.string().min(1, 'expected text that is not empty');
/**
 * Text with a syntax of its own.
 * @param findProblem - says what was expected; undefined when the text is right
 */
export function checkedText(findProblem: (value: string) => string | undefined): z.ZodString {
  return z.string().superRefine((value, context) => {
    const message = findProblem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** A cron expression. Loads the package that knows them, because the default needs no check. */
export const cronText = text.refine(
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  (cron) => loadModule<typeof CronModule>(() => require('node-cron'), 'validate').validate(cron),
  'expected five cron fields, or six with seconds',
);
/** A whole number within inclusive bounds. */
function wholeNumber(expected: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  const options = { error: `expected ${expected}` };
  return z.coerce.number<number | string>(options).int(options).min(min, options).max(max, options);
}

/** A whole number from 0 on. */
export const count = wholeNumber('a whole number from 0 on', 0);
/** A TCP port, or 0. */
export const portNumber = wholeNumber('a port from 0 to 65535', 0, 65535);
/** Visible ASCII without `/`, which separates the parts of a V4 credential. */
export const accessKeyText = z
  .string()
  .regex(/^[!-.0-~]+$/, 'expected visible characters without spaces or "/"');

/** A time between 1970 and 9000: a date with a zone, or Unix milliseconds as a number or as text. */
export const instant = z.union([z.number(), z.string()]).transform((value, context) => {
  const time = /^\d+$/.test(String(value)) ? Number(value) : parseDate(value);
  if (time >= CLOCK_RANGE.earliest && time <= CLOCK_RANGE.latest) return time;
  const message = 'expected a date from 1970 to 8999 such as 2024-01-01T00:00:00Z';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** @returns Unix milliseconds; NaN for what is not a date with a zone */
function parseDate(value: unknown): number {
  const date = z.iso.datetime({ offset: true }).safeParse(value);
  return date.success ? Date.parse(date.data) : NaN;
}

const corsRule = z.strictObject({
  allowedOrigins: z.array(text),
  allowedMethods: z.array(z.enum(['GET', 'PUT', 'DELETE', 'POST', 'HEAD'])),
  allowedHeaders: z.array(text).default([]),
  exposeHeaders: z.array(text).default([]),
  maxAgeSeconds: z.int().min(0).optional(),
});
/** CORS rules as OSS has them. */
export const corsRules = z.array(corsRule).max(10, 'expected at most 10 rules');

/** Text that is JSON, as an environment variable holds it. */
export const jsonText = z.string().transform((value, context): unknown => {
  try {
    return JSON.parse(value);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected JSON' });
    return z.NEVER;
  }
});

/** Hosts with commas between. */
export const hostList = z.string().transform((value) =>
  value
    .split(',')
    .map((host) => host.trim())
    .filter(Boolean),
);

/** A name, an address of IPv4, or one of IPv6. */
export const callbackHost = text.regex(
  /^(?:[^\s:/@[\]]+|\[?[0-9a-f.]*:[0-9a-f.:]*\]?)$/i,
  'expected host names or addresses without a port',
);

/** An address of IPv4 or IPv6, or a range of them in CIDR notation. */
export const addressRange = text.refine((value) => {
  const [address = '', prefix = '0', ...rest] = value.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}, 'expected addresses or ranges such as 10.0.0.0/8');
