import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { quoted } from '../lib/quoted.ts';
import { CommandError } from './command-error.ts';

const jsonForm = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/**
 * Reads the fields of a form from a file: JSON, or a line `name=value` for each field.
 * @param path - `-` for stdin
 * @throws CommandError when it has another form
 */
export async function readFormFile(path: string): Promise<Record<string, string>> {
  const content = path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  return content.trimStart().startsWith('{')
    ? readJson(content, path)
    : readFields(content.split(/\r?\n/).filter((line) => line.trim() !== ''));
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

function mapValues(fields: z.infer<typeof jsonForm>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

/** @param fields - each `name=value`; the value may have more `=` @throws CommandError */
export function readFields(fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    fields.map((field) => {
      const at = field.indexOf('=');
      if (at > 0) return [field.slice(0, at).trim(), field.slice(at + 1)];
      throw new CommandError(
        'BadForm',
        `${quoted(field.slice(0, 80))} is not a field`,
        'Write each field as name=value',
      );
    }),
  );
}
