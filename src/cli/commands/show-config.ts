import type { RawOptions } from '../environment.ts';
import { readConfig, variableName } from '../environment.ts';

const MASK = '********';

/** Prints every setting with its effective value: durations in milliseconds, sizes in bytes, secrets masked. */
export function showConfig(options: RawOptions): void {
  for (const [option, value] of Object.entries(readConfig(options))) {
    const shown = option.endsWith('Secret') ? MASK : textOf(value);
    process.stdout.write(`${variableName(option)}=${shown}\n`);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
