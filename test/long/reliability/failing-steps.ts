import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import files from 'node:fs/promises';
import { promisify } from 'node:util';
import type { UploadLedger } from '../../../src/uploads/ports.ts';

/**
 * How a step fails. `before`: it does nothing and throws. `after`: it is done and throws. `dead`: neither it nor any
 * later step does anything.
 */
export type Failing = 'before' | 'after' | 'dead';

/** A process that a test plays. It can be killed: then it does no step any more, not even one of its timers. */
export class PlayedProcess {
  static readonly #current = new AsyncLocalStorage<PlayedProcess>();
  #isKilled = false;

  /** Does work as this process. Whatever the work starts belongs to the process, too. */
  run<T>(work: () => T): T {
    return PlayedProcess.#current.run(this, work);
  }

  kill(): void {
    this.#isKilled = true;
  }

  static get isCurrentKilled(): boolean {
    const current = PlayedProcess.#current.getStore();
    return current !== undefined && current.#isKilled;
  }
}

/** Makes the n-th step fail, and records which step that was. */
export class FailingSteps {
  /** The kinds of all steps that were tried while armed. */
  readonly seen: string[] = [];
  /** All files that were opened. A closed one has no descriptor. */
  readonly opened = new Map<{ fd: number }, string>();
  #failing: Failing | undefined;
  #at = 0;

  /** @param at - counts from 1 */
  arm(failing: Failing, at: number): void {
    this.#failing = failing;
    this.#at = at;
    this.seen.length = 0;
  }

  /** @returns the step that has failed; undefined when there were fewer steps */
  disarm(): string | undefined {
    this.#failing = undefined;
    return this.seen[this.#at - 1];
  }

  /** @returns the paths of the files that nobody has closed; each is told once */
  takeUnclosed(): string[] {
    const unclosed = [...this.opened].filter(([{ fd }]) => fd >= 0).map(([, path]) => path);
    this.opened.clear();
    return unclosed;
  }

  /** Does a step, or lets it fail. */
  async take<T>(
    kind: string,
    step: () => Promise<T>,
    undo?: (done: T) => Promise<void>,
  ): Promise<T> {
    const fate = this.#decide(kind);
    if (fate === 'done') return step();
    if (fate === 'done and failed') {
      const done = await step();
      await undo?.(done);
    }
    throw failureOf(kind);
  }

  /** As `take`, for a step that does not wait. */
  takeNow(kind: string, step: () => void): void {
    const fate = this.#decide(kind);
    if (fate !== 'failed') step();
    if (fate !== 'done') throw failureOf(kind);
  }

  #decide(kind: string): 'done' | 'done and failed' | 'failed' {
    // A file that stays open would outlive the test.
    if (PlayedProcess.isCurrentKilled && kind !== 'close') throw new Error(`killed before ${kind}`);
    const failing = this.#failing;
    if (failing === undefined) return 'done';
    this.seen.push(kind);
    const count = this.seen.length;
    if (count < this.#at || (count > this.#at && failing !== 'dead')) return 'done';
    // After a failed close the file is closed, too.
    return failing === 'after' || kind === 'close' ? 'done and failed' : 'failed';
  }
}

function failureOf(kind: string): Error {
  return Object.assign(new Error(`EIO: i/o error, ${kind}`), { code: 'EIO' });
}

const FILE_STEPS = ['link', 'rename', 'unlink', 'rm', 'readdir', 'stat', 'writeFile'] as const;
const HANDLE_STEPS = ['write', 'writev', 'sync', 'datasync', 'close'] as const;
/** Calls that do not go through `steps`. None of them may touch a body. */
const OTHERS = [
  ...(['writeSync', 'writevSync', 'fsyncSync', 'fdatasyncSync', 'linkSync', 'unlinkSync'] as const),
  ...(['write', 'link', 'unlink'] as const),
];
/** Calls with a callback, which use a descriptor. They are the same steps as those of a file handle. */
const DESCRIPTOR_STEPS = { writev: 'writev', fsync: 'sync', fdatasync: 'datasync' } as const;

/** Lets every call of `node:fs` that changes a file go through `steps`. @returns a function that undoes this */
export function failInFileSystem(steps: FailingSteps): () => void {
  const { open } = files;
  const undo = FILE_STEPS.map((name) =>
    replace(
      files,
      name,
      (original) =>
        (...args) =>
          steps.take(name, () => original(...args)),
    ),
  );
  undo.push(
    replace(files, 'open', () => async (...args: Parameters<typeof open>) => {
      const handle = await steps.take(
        'open',
        () => open(...args),
        (opened) => opened.close(),
      );
      steps.opened.set(handle, String(args[0]));
      for (const name of HANDLE_STEPS) {
        replace(
          handle,
          name,
          (original) =>
            (...rest) =>
              steps.take(name, () => original(...rest)),
        );
      }
      return handle;
    }),
  );
  undo.push(...failWithDescriptors(steps));
  for (const name of OTHERS) {
    const message = `${name} is not among the steps that this test can make fail`;
    undo.push(replace(fs, name, () => () => Promise.reject(new Error(message))));
  }
  return () => {
    for (const one of undo) one();
  };
}

/** Lets the calls with a descriptor and a callback go through `steps`. @returns functions that undo this */
function failWithDescriptors(steps: FailingSteps): (() => void)[] {
  const opened = new Map<unknown, { fd: number }>();
  const forget = (fd: unknown): void => {
    const file = opened.get(fd);
    if (file !== undefined) file.fd = -1;
    opened.delete(fd);
  };
  const { close } = fs;
  const opening = replaceCallback('open', async (call, args) => {
    const fd = await steps.take(
      'open',
      () => call(...args),
      async (done) => {
        if (typeof done === 'number') await promisify(close)(done);
      },
    );
    if (typeof fd !== 'number') return fd;
    const file = { fd };
    opened.set(fd, file);
    steps.opened.set(file, String(args[0]));
    return fd;
  });
  const { closeSync } = fs;
  fs.closeSync = (fd) => {
    const known = opened.has(fd);
    forget(fd);
    if (known) steps.takeNow('close', () => closeSync(fd));
    else closeSync(fd);
  };
  const restoreClose = (): void => {
    fs.closeSync = closeSync;
  };
  const others = Object.entries(DESCRIPTOR_STEPS).map(([name, kind]) =>
    replaceCallback(name, (call, args) => steps.take(kind, () => call(...args))),
  );
  return [opening, restoreClose, ...others];
}

type Call = (...args: unknown[]) => Promise<unknown>;

/** Replaces a function of `node:fs` with a callback. @returns a function that restores it */
function replaceCallback(
  name: string,
  make: (original: Call, args: unknown[]) => Promise<unknown>,
): () => void {
  const original: unknown = Reflect.get(fs, name);
  if (typeof original !== 'function') throw new Error(`there is no ${name}`);
  const call: Call = (...args) =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, result: unknown): void => {
        if (error === null) resolve(result);
        else reject(error);
      };
      Reflect.apply(original, fs, [...args, done]);
    });
  Reflect.set(fs, name, (...args: unknown[]) => {
    const done = args.pop();
    if (typeof done !== 'function') throw new Error(`${name} was called without a callback`);
    make(call, args).then(
      (result) => Reflect.apply(done, undefined, [null, result]),
      (error: unknown) => Reflect.apply(done, undefined, [error]),
    );
  });
  return () => Reflect.set(fs, name, original);
}

type Method<A extends unknown[]> = (...args: A) => Promise<unknown>;

/** Replaces a method. @returns a function that restores it */
function replace<A extends unknown[]>(
  owner: object,
  name: string,
  make: (original: Method<unknown[]>) => Method<A>,
): () => void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new Error(`there is no ${name}`);
  const call = async (...args: unknown[]): Promise<unknown> => Reflect.apply(original, owner, args);
  Object.defineProperty(owner, name, { value: make(call), configurable: true, writable: true });
  return () => Reflect.set(owner, name, original);
}

/** A ledger whose calls all go through `steps`. */
export function failInLedger(steps: FailingSteps, ledger: UploadLedger): UploadLedger {
  return new Proxy(ledger, {
    get: (target, name: string) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) =>
        steps.take(name, async (): Promise<unknown> => Reflect.apply(method, target, args));
    },
  });
}
