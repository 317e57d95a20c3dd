import type { Command } from 'commander';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { variableName } from '../names.ts';
import { jsonFlag, print, printJson, withJson } from '../output.ts';
import { parseFlags, withSettings } from '../setting-flags.ts';

const MASK = '********';

/** Configures `ota-gateway show-config`. */
export function configure(command: Command): void {
  withJson(withSettings(command)).action((flags: unknown) => {
    const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
    showConfig(gatherOptions(process.env, settings), json);
  });
}

/** Prints every setting with its effective value: durations in milliseconds, sizes in bytes, secrets masked. */
function showConfig(options: RawOptions, json: boolean): void {
  const shown = Object.entries(readConfig(options)).map(
    ([option, value]: [string, unknown]) =>
      [variableName(option), SECRET.test(option) ? MASK : value] as const,
  );
  if (json) printJson({ settings: Object.fromEntries(shown) });
  else print(shown.map(([name, value]) => `${name}=${textOf(value)}\n`).join(''));
}

const SECRET = /(?:Secret|Token)$/;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
