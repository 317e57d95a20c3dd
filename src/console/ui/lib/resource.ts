import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { ApiError } from './api.ts';

/** Something that is read from the gateway. While it is read again, the last value stays. */
export interface Resource<T> {
  readonly value: Signal<T | undefined>;
  readonly error: Signal<ApiError | undefined>;
  /** Reads it again; of several reads only the last one counts. */
  readonly read: () => Promise<void>;
}

/** @param load - reads it; is given a signal that ends an outdated read */
export function createResource<T>(load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const value = signal<T | undefined>(undefined);
  const error = signal<ApiError | undefined>(undefined);
  let running: AbortController | undefined;
  const read = async (): Promise<void> => {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    try {
      const loaded = await load(controller.signal);
      if (running !== controller) return;
      value.value = loaded;
      error.value = undefined;
    } catch (problem) {
      if (running !== controller) return;
      error.value = toApiError(problem);
    }
  };
  return { value, error, read };
}

/** @returns what went wrong, for the person */
export function toApiError(problem: unknown): ApiError {
  if (problem instanceof ApiError) return problem;
  return new ApiError(0, 'PageFault', problem instanceof Error ? problem.message : String(problem));
}
