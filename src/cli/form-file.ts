import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { quoted } from '../lib/quoted.ts';
import { CommandError, UsageError } from './command-error.ts';
import { systemFailureOf } from '../lib/system-failure.ts';

const fields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** The fields themselves, the output of `ota-gateway sign`, or the response of GenerateOTAUploadURL. */
const jsonForm = z.union([
  fields,
  z.object({ fields }).transform((form) => form.fields),
  z
    .object({
      Data: z.object({
        ...{ Key: z.string(), Policy: z.string() },
        ...{ OSSAccessKeyId: z.string(), Signature: z.string() },
      }),
    })
    .transform(({ Data: { Key, OSSAccessKeyId, Policy, Signature } }) => ({
      ...{ key: Key, policy: Policy, OSSAccessKeyId, Signature },
    })),
]);

/**
 * Reads the fields of a form from a file: JSON, or a line `name=value` for each field.
 * @param path - `-` for stdin
 * @throws CommandError when it has another form; UsageError when it cannot be read
 */
export async function readFormFile(path: string): Promise<Record<string, string>> {
  const content = path === '-' ? await text(process.stdin) : await read(path);
  return content.trimStart().startsWith('{')
    ? readJson(content, path)
    : readFields(content.split(/\r?\n/).filter((line) => line.trim() !== ''));
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const failure =
      typeof error === 'object' && error !== null
        ? systemFailureOf({ ...error, path: quoted(path) })
        : undefined;
    if (failure === undefined) throw error;
    throw new UsageError(`--form: ${failure.problem}`, failure.hint, { cause: error });
  }
}

function readJson(content: string, path: string): Record<string, string> {
  const parsed = jsonForm.safeParse(parse(content));
  if (parsed.success) return mapValues(parsed.data);
  throw new CommandError(
    'BadForm',
    `${path === '-' ? 'stdin' : quoted(path)} is not the JSON of a form`,
    'Expected one object with the name and the value of each field, such as {"key":"ota/5915.bin","policy":"..."}',
  );
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function mapValues(form: z.infer<typeof fields>): Record<string, string> {
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, String(value)]));
}

/** @param lines - each `name=value`; the value may have more `=` @throws UsageError */
export function readFieldFlags(lines: readonly string[]): Record<string, string> {
  return readFields(lines, (message, hint) => new UsageError(`-f: ${message}`, hint));
}

function readFields(
  lines: readonly string[],
  fault: (message: string, hint: string) => CommandError = (message, hint) =>
    new CommandError('BadForm', message, hint),
): Record<string, string> {
  return Object.fromEntries(
    lines.map((field) => {
      const at = field.indexOf('=');
      if (at > 0) return [field.slice(0, at).trim(), field.slice(at + 1)];
      const message = `${quoted(field.slice(0, 80))} is not a field`;
      throw fault(message, 'Write each field as name=value');
    }),
  );
}
