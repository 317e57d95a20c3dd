import type { Option } from 'commander';
import { Command } from 'commander';
import { SETTING_TABLE } from '../../config/setting-table.ts';
import { VERBS, nameOf } from '../verbs.ts';
import type { VerbModule } from '../verbs.ts';

/** Configures the command that the scripts of `ota-gateway completion` call. */
export function configure(command: Command): void {
  command.action(async (words: string[]) => {
    const found = await complete(words).catch(() => []);
    process.stdout.write(found.map((each) => `${each}\n`).join(''));
  });
}

/**
 * Shells insert a candidate as it is, so one that has a meaning in a shell is left out. Letters of any script have none.
 */
const HARMLESS = /^[\p{L}\p{N}_./:@%+,=-]+$/u;

/**
 * Lists what may stand in place of the last word.
 * @param words - the words after the name of the program; the last one may be empty
 * @returns nothing where the shell should complete file names
 */
async function complete(words: readonly string[]): Promise<readonly string[]> {
  const typed = joinValues(words);
  const word = typed.at(-1) ?? '';
  const candidates = await listCandidates(typed.slice(0, -1), word);
  return [...new Set(candidates)].filter((each) => each.startsWith(word) && HARMLESS.test(each));
}

/** Bash makes three words of `--flag=value`: what it inserts stands after the sign. */
function joinValues(words: readonly string[]): readonly string[] {
  const last = words.length - 1;
  return words.flatMap((word, index) => {
    const isSign = word === '=' && words[index - 1]?.startsWith('--') === true;
    if (!isSign) return [word];
    return index === last ? [''] : [];
  });
}

async function listCandidates(
  [name, ...before]: readonly string[],
  word: string,
): Promise<readonly string[]> {
  const names = VERBS.filter(({ hidden }) => hidden !== true).map(nameOf);
  if (name === undefined)
    return word.startsWith('-') ? ['--help', '--version'] : [...names, 'help'];
  if (name === 'help') return names;
  const verb = VERBS.find((each) => nameOf(each) === name);
  if (verb === undefined) return [];
  const module = await verb.load();
  const command = new Command(name).arguments(verb.usage.slice(name.length).trim());
  module.configure(command);
  return candidatesOf(command, module, { before, word });
}

/** What was typed after the name of a command. */
interface Typed {
  readonly before: readonly string[];
  readonly word: string;
}

async function candidatesOf(
  command: Command,
  module: VerbModule,
  { before, word }: Typed,
): Promise<readonly string[]> {
  if (command.commands.length > 0) {
    const [name, ...rest] = before;
    if (name !== undefined && name !== 'help') {
      const chosen = command.commands.find((each) => each.name() === name);
      return chosen === undefined ? [] : candidatesOf(chosen, module, { before: rest, word });
    }
    const names = command.commands.map((each) => each.name());
    if (name === 'help') return names;
    return word.startsWith('-') ? flagsOf(command) : [...names, 'help'];
  }
  const [, joined] = /^(--[\w-]+)=/.exec(word) ?? [];
  if (joined !== undefined) {
    return choicesOf(findOption(command, joined)).map((each) => `${joined}=${each}`);
  }
  const flag = findOption(command, before.at(-1));
  if (takesNext(flag, word)) return choicesOf(flag);
  return word.startsWith('-') ? flagsOf(command) : argumentsOf(command, module, { before, word });
}

async function argumentsOf(
  command: Command,
  { complete: completeArgument }: VerbModule,
  { before, word }: Typed,
): Promise<readonly string[]> {
  const { flags, given } = readTyped(command, before);
  const all = command.registeredArguments;
  const argument = all[given.length] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices;
  const found = (await completeArgument?.({ argument: argument.name(), word, flags })) ?? [];
  // One that begins with a hyphen would be a flag.
  return found.filter((each) => !given.includes(each) && !each.startsWith('-'));
}

function findOption({ options }: Command, word: string | undefined): Option | undefined {
  return options.find(({ long, short }) => word !== undefined && (word === long || word === short));
}

/** Whether the word after a flag is its value; that of a switch such as `--metrics` may be absent. */
function takesNext(flag: Option | undefined, next: string | undefined): boolean {
  if (flag === undefined || flag.isBoolean() || next === undefined) return false;
  return flag.required || !next.startsWith('-');
}

function choicesOf(flag: Option | undefined): readonly string[] {
  if (flag === undefined) return [];
  const setting = SETTING_TABLE.find(({ name }) => name === flag.attributeName());
  return flag.argChoices ?? setting?.words ?? [];
}

function flagsOf({ options }: Command): readonly string[] {
  const shown = options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  return [...shown, '--help'];
}

/** @returns the values of the flags, by setting name, and the arguments */
function readTyped(
  command: Command,
  words: readonly string[],
): { readonly flags: Readonly<Record<string, string>>; readonly given: readonly string[] } {
  const flags: Record<string, string> = {};
  const given: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const [, name = word, joined] = /^(--[\w-]+)=([^]*)$/.exec(word) ?? [];
    const option = findOption(command, name);
    const next = words[index + 1];
    if (option === undefined) {
      if (!word.startsWith('-')) given.push(word);
    } else if (joined !== undefined) {
      flags[option.attributeName()] = joined;
    } else if (next !== undefined && takesNext(option, next)) {
      flags[option.attributeName()] = next;
      index += 1;
    }
  }
  return { flags, given };
}
