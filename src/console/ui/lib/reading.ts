import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { CoalescedTask } from '../../../lib/tasks.ts';

/** Something that is read again and again. While it is read again, the last value stays. */
export interface Reading<T, E> {
  readonly value: Signal<T | undefined>;
  readonly error: Signal<E | undefined>;
  /** Reads it again. A read that is running ends first, and one more read follows for all calls since it has begun. */
  readonly read: () => Promise<void>;
  /** Drops what was read, and what is being read. */
  readonly forget: () => void;
}

/**
 * @param load - reads it; is given a signal that ends a read whose result is not wanted any more
 * @param toError - returns what went wrong, for the person
 */
export function createReading<T, E>(
  load: (signal: AbortSignal) => Promise<T>,
  toError: (problem: unknown) => E,
): Reading<T, E> {
  const value = signal<T | undefined>(undefined);
  const error = signal<E | undefined>(undefined);
  let running: AbortController | undefined;
  // To begin anew each time would never end where a read takes longer than the next change.
  const task = new CoalescedTask(async () => {
    const controller = new AbortController();
    running = controller;
    try {
      const loaded = await load(controller.signal);
      if (controller.signal.aborted) return;
      value.value = loaded;
      error.value = undefined;
    } catch (problem) {
      if (!controller.signal.aborted) error.value = toError(problem);
    }
  });
  return {
    ...{ value, error },
    read: () => task.run(),
    forget: () => {
      running?.abort();
      value.value = undefined;
      error.value = undefined;
    },
  };
}
