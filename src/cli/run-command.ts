import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { UsageError, describeError, errorText } from './command-error.ts';
import type { ErrorDescription } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { commandOf, describeUsage, lookAtHelp } from './usage-errors.ts';
import { VERBS, examplesText } from './verbs.ts';

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('ota-gateway')
    .description('Signs, receives, keeps and purges OTA uploads as Alibaba Cloud does.')
    .version(ownVersion())
    // `upload --version` is the version of the firmware.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: () => undefined,
      ...(isForPrograms(args) && { writeErr: () => undefined }),
    });
  const [first, second] = args;
  const chosen = first === 'help' ? second : first;
  for (const { description, examples, hidden = false, load, usage } of VERBS) {
    const command = program.command(usage, { hidden }).description(description);
    command.addHelpText('before', examplesText(examples));
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
  return error instanceof ConfigError || error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

function isForPrograms(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Prints what a command has thrown: text, or JSON with `--json`. */
export function printError(error: unknown, args: readonly string[]): void {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return;
    // Commander has printed the help already, which says what is missing.
    if (error.code === 'commander.help' && !isForPrograms(args)) return;
  }
  const described = describe(error, args);
  const text = isForPrograms(args) ? JSON.stringify({ error: described }) : errorText(described);
  process.stderr.write(`${text}\n`);
}

function describe(error: unknown, args: readonly string[]): ErrorDescription {
  if (error instanceof CommanderError) return describeUsage(error, args);
  const described = describeError(error);
  if (!(error instanceof UsageError)) return described;
  return { hint: lookAtHelp(commandOf(args)), ...described };
}

/** Runs a command, and prints its error. @returns its exit code; undefined when it is that of the process */
export async function runCommand(args: readonly string[]): Promise<number | undefined> {
  try {
    await (await createProgram(args)).parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    printError(error, args);
    return exitCodeOf(error);
  }
}
