import { prettyFactory } from 'pino-pretty';
import { quoted } from '../lib/quoted.ts';
import { formatSize } from './people.ts';

type Entry = Readonly<Record<string, unknown>>;

/**
 * Makes the function that turns a line of the JSON log into one for a person: time, level, message, and the facts that the
 * message does not have. An error adds the lines of its stack.
 * @param options.isOneOfSeveral - each line also names the process and its machine
 */
export function createReadableFormat({
  colorize,
  isOneOfSeveral,
}: {
  readonly colorize: boolean;
  readonly isOneOfSeveral: boolean;
}): (line: string) => string {
  return prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    // The facts are part of the message.
    include: isOneOfSeveral ? 'time,level,err,pid,hostname' : 'time,level,err',
    messageFormat: (entry, messageKey) => [String(entry[messageKey]), ...factsOf(entry)].join('  '),
  });
}

function factsOf(entry: Entry): readonly string[] {
  return 'dialect' in entry ? factsOfRequest(entry) : factsOfOther(entry);
}

function factsOfRequest({ code, key, keys, requestId, status, ...sizes }: Entry): string[] {
  const { bytesIn, bytesOut, ms, peer } = sizes;
  const named = Array.isArray(keys) ? keys.join(' ') : key;
  return [
    status,
    typeof named === 'string' ? quoted(named) : undefined,
    formatSize(Math.max(Number(bytesIn), Number(bytesOut))),
    `${Number(ms).toFixed(0)} ms`,
    peer,
    // It leads to the explanation.
    code === 'OK' ? undefined : requestId,
  ].flatMap((fact) => (typeof fact === 'string' || typeof fact === 'number' ? [String(fact)] : []));
}

const SHOWN_BEFORE = ['time', 'level', 'msg', 'err', 'pid', 'hostname'];

function factsOfOther(entry: Entry): string[] {
  return Object.entries(entry)
    .filter(([name]) => !SHOWN_BEFORE.includes(name))
    .map(([name, value]) => {
      const text = typeof value === 'string' ? quoted(value) : JSON.stringify(value);
      return `${name}=${text}`;
    });
}
