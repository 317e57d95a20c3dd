import fs, { readdirSync, readlinkSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/** @returns the prototype of all open files, so that a test can spy on their methods */
export async function fileHandlePrototype(): Promise<FileHandle> {
  await using handle = await open(__filename, 'r');
  return z.custom<FileHandle>().parse(Object.getPrototypeOf(handle));
}

/** @returns how many files below a folder this process has open */
export function countOpenFiles(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map(targetOf);
  return targets.filter((target) => target.startsWith(folder)).length;
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // Closed since it was listed.
    return '';
  }
}

/**
 * Lets calls of a function of `node:fs` with a callback fail.
 * @param times - how many of them
 */
export function failCalls(
  name: 'fdatasync' | 'open',
  code: string,
  times = Infinity,
): { readonly count: () => number; readonly restore: () => void } {
  const original: unknown = Reflect.get(fs, name);
  if (typeof original !== 'function') throw new Error(`there is no ${name}`);
  let count = 0;
  Reflect.set(fs, name, (...args: unknown[]) => {
    count += 1;
    if (count > times) {
      Reflect.apply(original, fs, args);
      return;
    }
    const done = args.at(-1);
    if (typeof done !== 'function') throw new Error(`${name} was called without a callback`);
    const error = Object.assign(new Error(`${code}: ${name} fails`), { code });
    setImmediate(() => {
      Reflect.apply(done, undefined, [error]);
    });
  });
  return { count: () => count, restore: () => Reflect.set(fs, name, original) };
}
