import type { CommanderError } from 'commander';
import type { ErrorDescription } from './command-error.ts';
import { VERBS, nameOf } from './verbs.ts';

/** @returns the command that the arguments name, such as `accounts add`; empty for none */
export function commandOf(args: readonly string[]): string {
  const [first = '', second = ''] = args;
  const verb = VERBS.find((each) => nameOf(each) === first);
  if (verb === undefined) return '';
  return first === 'accounts' && /^[a-z]/.test(second) ? `${first} ${second}` : first;
}

/** @returns what to do after wrong arguments */
export function lookAtHelp(command: string): string {
  return `\`${['ota-gateway', command, '--help'].filter(Boolean).join(' ')}\` shows what it takes`;
}

/** Describes what the parser of the command line has refused. */
export function describeUsage(
  { code: kind, message }: CommanderError,
  args: readonly string[],
): ErrorDescription {
  const command = commandOf(args);
  const isUnknown = kind === 'commander.unknownCommand';
  const help = lookAtHelp(isUnknown ? command.replace(/ .*$/, '') : command);
  const code = 'InvalidArguments';
  if (kind === 'commander.help') return { code, message: 'a command is missing', hint: help };
  const [text = '', ...others] = message.replace(/^error: /, '').split('\n');
  const guess = others.map((line) => line.replace(/^\((.*)\)$/, '$1 '));
  return { code, message: text.replace(/\.$/, ''), hint: `${guess.join('')}${help}` };
}
