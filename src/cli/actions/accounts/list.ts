import { wallClock } from '../../../lib/clock.ts';
import { formatAccounts, readAccounts } from '../../accounts-list.ts';
import { variableName } from '../../names.ts';
import { jsonFlag, printJson } from '../../output.ts';
import { parseFlags } from '../../parse-flags.ts';
import { counted } from '../../people.ts';
import { configOf } from './report.ts';

/** Prints the accounts, without secrets. */
export async function list(flags: unknown): Promise<void> {
  const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
  const config = configOf(settings);
  const found = await readAccounts(config, wallClock.now());
  if (json) {
    printJson(found);
    return;
  }
  process.stdout.write(formatAccounts(found));
  const source = config.accountsFile ?? `no accounts file (${variableName('accountsFile')})`;
  process.stderr.write(`${counted(found.items.length, 'account')}, ${source}\n`);
}
