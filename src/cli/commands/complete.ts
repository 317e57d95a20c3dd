import type { Option } from 'commander';
import { Command } from 'commander';
import { VERBS, nameOf } from '../verbs.ts';

/** Configures the command that the scripts of `ota-gateway completion` call. */
export function configure(command: Command): void {
  command.action(async (words: string[]) => {
    const found = await complete(words).catch(() => []);
    process.stdout.write(found.map((each) => `${each}\n`).join(''));
  });
}

/** Shells insert a candidate as it is, so one that has a meaning in a shell is left out. */
const HARMLESS = /^[\w./:@%+,=-]+$/;

/**
 * Lists what may stand in place of the last word.
 * @param words - the words after the name of the program; the last one may be empty
 * @returns nothing where the shell should complete file names
 */
async function complete(words: readonly string[]): Promise<readonly string[]> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const candidates = await listCandidates(before, word);
  return candidates.filter((each) => each.startsWith(word) && HARMLESS.test(each));
}

async function listCandidates(
  [name, ...before]: readonly string[],
  word: string,
): Promise<readonly string[]> {
  const names = VERBS.filter(({ hidden }) => hidden !== true).map(nameOf);
  if (name === undefined) return [...names, 'help'];
  if (name === 'help') return names;
  const verb = VERBS.find((each) => nameOf(each) === name);
  if (verb === undefined) return [];
  const { complete: completeArgument, configure: configureVerb } = await verb.load();
  const command = new Command(name).arguments(verb.usage.slice(name.length).trim());
  configureVerb(command);
  const flag = findOption(command, before.at(-1));
  if (flag !== undefined && !flag.isBoolean()) return flag.argChoices ?? [];
  if (word.startsWith('-')) return flagsOf(command);
  const [argument] = command.registeredArguments;
  if (argument?.argChoices !== undefined) return argument.argChoices;
  return completeArgument?.({ word, flags: valuesOf(command, before) }) ?? [];
}

function findOption({ options }: Command, word: string | undefined): Option | undefined {
  return options.find(({ long, short }) => word !== undefined && (word === long || word === short));
}

function flagsOf({ options }: Command): readonly string[] {
  const shown = options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  return [...shown, '--help'];
}

function valuesOf(command: Command, words: readonly string[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    const value = words[index + 1];
    const option = findOption(command, word);
    if (option !== undefined && value !== undefined) values[option.attributeName()] = value;
  }
  return values;
}
