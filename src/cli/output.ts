import { styleText } from 'node:util';
import { z } from 'zod';
import { COLORS } from './flags.ts';

/** The flags of `withOutput`. */
export const outputFlags = z.object({
  json: z.boolean().default(false),
  color: z.enum(COLORS).default('auto'),
});

export type OutputFlags = z.infer<typeof outputFlags>;

/** The flag of `withJson`. */
export const jsonFlag = outputFlags.pick({ json: true });

export type Style = Parameters<typeof styleText>[0];

/** Writes a text in a style. */
export type Paint = (style: Style, text: string) => string;

/**
 * Makes the function that colors a text for a stream. In `auto` it obeys NO_COLOR, FORCE_COLOR and TERM, and a pipe has
 * no color.
 */
export function painter(
  { color }: OutputFlags,
  stream: NodeJS.WriteStream = process.stdout,
): Paint {
  if (color === 'never') return (_style, text) => text;
  if (color === 'always') return (style, text) => styleText(style, text, { validateStream: false });
  return (style, text) => styleText(style, text, { stream });
}

/** Prints the result of a command. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Prints one document of JSON. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints one object in one line, for output that has no end. */
export function printJsonLine(value: unknown): void {
  print(`${JSON.stringify(value)}\n`);
}

/** Prints a line to a person, beside the result. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
