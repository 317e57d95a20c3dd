import { maskSecret } from '../../config/secrets.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { variableName } from '../names.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { parseFlags } from '../parse-flags.ts';

/** Prints every setting with its effective value: durations in milliseconds, sizes in bytes, secrets masked. */
export function showConfig(flags: unknown): void {
  const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
  const options = gatherOptions(process.env, settings);
  const shown = Object.entries(readConfig(options)).map(
    ([option, value]: [string, unknown]) =>
      [variableName(option), maskSecret(option, value)] as const,
  );
  if (json) printJson({ settings: Object.fromEntries(shown) });
  else print(shown.map(([name, value]) => `${name}=${textOf(value)}\n`).join(''));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
