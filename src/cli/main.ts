#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { SettingsError } from '../config/settings-error.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { EXIT } from './exit-codes.ts';
import { variableName } from './names.ts';
import { VERBS } from './verbs.ts';

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('ota-gateway')
    .description('Signs, receives, keeps and purges OTA uploads as Alibaba Cloud does.')
    .version(ownVersion())
    // `upload --version` is the version of the firmware.
    .enablePositionalOptions()
    .exitOverride();
  const [first, second] = args;
  const chosen = first === 'help' ? second : first;
  for (const { description, examples, load, usage } of VERBS) {
    const command = program.command(usage).description(description);
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

function messageOf(error: unknown): string {
  if (error instanceof SettingsError) return error.named(variableName).message;
  return error instanceof Error ? error.message : String(error);
}

/** Ends as other commands do when the reader of their output has ended, such as `head`. */
function endWithReader(error: Error): void {
  if (hasErrorCode(error, 'EPIPE')) process.exit(EXIT.done);
  process.stderr.write(`the output cannot be written: ${error.message}\n`);
  process.exit(EXIT.failed);
}

async function main(args: readonly string[]): Promise<void> {
  let isOver = false;
  process.once('exit', (code) => {
    // Node ends when nothing is left to wait for, even if the command has not come to its end.
    if (!isOver && code === EXIT.done) process.exitCode = EXIT.failed;
  });
  process.stdout.on('error', (error: Error) => {
    isOver = true;
    endWithReader(error);
  });
  try {
    await (await createProgram(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Commander has printed its own errors.
    if (!(error instanceof CommanderError)) process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  } finally {
    isOver = true;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  throw error;
});
