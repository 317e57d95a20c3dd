#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { describeError, errorText } from './command-error.ts';
import type { ErrorDescription } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { VERBS } from './verbs.ts';

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('ota-gateway')
    .description('Signs, receives, keeps and purges OTA uploads as Alibaba Cloud does.')
    .version(ownVersion())
    // `upload --version` is the version of the firmware.
    .enablePositionalOptions()
    .exitOverride();
  if (isForPrograms(args)) program.configureOutput({ outputError: () => undefined });
  const [first, second] = args;
  const chosen = first === 'help' ? second : first;
  for (const { description, examples, hidden = false, load, usage } of VERBS) {
    const command = program.command(usage, { hidden }).description(description);
    command.addHelpText('before', `Examples:\n${examples.map((each) => `  ${each}\n`).join('')}`);
    if (command.name() === chosen) (await load()).configure(command);
  }
  return program;
}

function ownVersion(): string {
  const path = join(__dirname, '..', '..', 'package.json');
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  if (!hasVersion) throw new Error(`${path} has no version`);
  return String(manifest.version);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
}

function isForPrograms(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Prints what a command has thrown: text, or JSON with `--json`. */
function printError(error: unknown, args: readonly string[]): void {
  const isOfCommander = error instanceof CommanderError;
  if (isForPrograms(args)) {
    if (isOfCommander && error.exitCode === 0) return;
    const described = isOfCommander ? describeUsage(error) : describeError(error);
    process.stderr.write(`${JSON.stringify({ error: described })}\n`);
  } else if (!isOfCommander) {
    // Commander has printed its own errors.
    process.stderr.write(`${errorText(describeError(error))}\n`);
  }
}

function describeUsage({ message }: CommanderError): ErrorDescription {
  return { code: 'InvalidArguments', message: message.replace(/^error: /, '') };
}

/** Ends as other commands do when the reader of their output has ended, such as `head`. */
function endWithReader(error: Error): void {
  if (hasErrorCode(error, 'EPIPE')) process.exit(process.exitCode ?? EXIT.done);
  process.stderr.write(`the output cannot be written: ${error.message}\n`);
  process.exit(EXIT.failed);
}

async function main(args: readonly string[]): Promise<void> {
  let isOver = false;
  process.once('exit', (code) => {
    // Node ends when nothing is left to wait for, even if the command has not come to its end.
    if (!isOver && code === EXIT.done) process.exitCode = EXIT.failed;
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: Error) => {
      isOver = true;
      endWithReader(error);
    });
  }
  try {
    await (await createProgram(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    printError(error, args);
  } finally {
    isOver = true;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  throw error;
});
