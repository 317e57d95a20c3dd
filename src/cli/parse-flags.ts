import type { z } from 'zod';
import { plainTexts, withFound } from '../config/config-error.ts';
import { UsageError } from './command-error.ts';
import { flagName } from './names.ts';

/** Parses flags that are not settings. @throws UsageError that says what is wrong with which */
export function parseFlags<Flags>(schema: z.ZodType<Flags>, flags: unknown): Flags {
  const parsed = schema.safeParse(flags, { error: plainTexts });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ message, path }) =>
      `${flagName(String(path[0]))}: ${withFound(message, valueAt(flags, path))}`,
  );
  throw new UsageError([...new Set(problems)].join('\n'));
}

/** @returns the value of a flag, or one value of a flag that has several */
function valueAt(flags: unknown, path: readonly PropertyKey[]): unknown {
  if (typeof flags !== 'object' || flags === null) return undefined;
  const given = new Map<PropertyKey, unknown>(Object.entries(flags)).get(path[0] ?? '');
  return Array.isArray(given) ? given[Number(path[1])] : given;
}
