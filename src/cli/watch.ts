import { setTimeout } from '../lib/timers.ts';
import type { List } from './lists.ts';
import type { OutputFlags } from './output.ts';
import { print, printJsonLine } from './output.ts';

/** A signal that is aborted at the first SIGINT or SIGTERM: the user has seen enough, and the command ends with 0. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return controller.signal;
}

const CLEAR = '\u001b[2J\u001b[H';

/**
 * Shows a list again and again, until Ctrl+C. With JSON prints each new or changed item in one line.
 * @param interval - in milliseconds
 */
export async function watch(
  load: () => Promise<List>,
  output: OutputFlags,
  interval: number,
): Promise<void> {
  const signal = untilInterrupted();
  let known: ReadonlyMap<string, string> = new Map();
  while (!signal.aborted) {
    const list = await load();
    const texts = new Map([...list.items].map(([name, item]) => [name, JSON.stringify(item)]));
    const changed = [...texts].filter(([name, text]) => known.get(name) !== text);
    if (output.json) {
      for (const [name] of changed.toReversed()) printJsonLine(list.items.get(name));
    } else if (process.stdout.isTTY || changed.length > 0 || texts.size !== known.size) {
      if (process.stdout.isTTY) print(CLEAR);
      list.show(output);
    }
    known = texts;
    await pauseUnless(signal, interval);
  }
}

/** Waits for a time in milliseconds, or until the signal is aborted. Leaves no listener at the signal. */
export function pauseUnless(signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.close();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
