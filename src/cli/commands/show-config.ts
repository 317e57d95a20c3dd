import type { Command } from 'commander';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { variableName } from '../names.ts';
import { withSettings } from '../setting-flags.ts';

const MASK = '********';

/** Configures `ota-gateway show-config`. */
export function configure(command: Command): void {
  withSettings(command).action((flags: Record<string, unknown>) => {
    showConfig(gatherOptions(process.env, flags));
  });
}

/** Prints every setting with its effective value: durations in milliseconds, sizes in bytes, secrets masked. */
function showConfig(options: RawOptions): void {
  for (const [option, value] of Object.entries(readConfig(options))) {
    const shown = /(?:Secret|Token)$/.test(option) ? MASK : textOf(value);
    process.stdout.write(`${variableName(option)}=${shown}\n`);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
