import type { Config } from '../../../config/config.ts';
import { gatherOptions, readConfig } from '../../environment.ts';
import { EXIT } from '../../exit-codes.ts';
import { printJson } from '../../output.ts';
import type { Reload } from '../../reload-gateway.ts';
import { describeReload } from '../../reload-gateway.ts';

/** Reads the settings among the flags of a command. @throws ConfigError that names each wrong flag and variable */
export function configOf(settings: Readonly<Record<string, unknown>>): Config {
  return readConfig(gatherOptions(process.env, settings));
}

/** Prints what was changed. */
export function printChange(json: boolean, shape: object, lines: readonly string[]): void {
  if (json) printJson(shape);
  else process.stdout.write(`${lines.join('\n')}\n`);
}

/** Tells people what happens next; JSON has it already. */
export function note(json: boolean, reload: Reload, notes: readonly string[]): void {
  if (reload.outcome === 'refused') process.exitCode = EXIT.findings;
  if (!json) process.stderr.write(`${[...notes, describeReload(reload)].join('\n')}\n`);
}

/** @returns a time as the output shows it */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
