import { styleText } from 'node:util';
import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';

const COLOR = ['auto', 'always', 'never'] as const;

/** The flags of {@link withOutput}. */
export const outputFlags = z.object({
  json: z.boolean().default(false),
  color: z.enum(COLOR).default('auto'),
});

export type OutputFlags = z.infer<typeof outputFlags>;

/** The flag of {@link withJson}. */
export const jsonFlag = outputFlags.pick({ json: true });

/** Adds the flag of every command that has a result. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON; errors are JSON on standard error');
}

/** Adds the flags of a command that prints tables for people. */
export function withOutput(command: Command): Command {
  const color = new Option('--color <when>', 'color the output').choices(COLOR).default('auto');
  return withJson(command).addOption(color);
}

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
