import { ApiError } from './api.ts';
import { createReading } from './reading.ts';
import type { Reading } from './reading.ts';

/** Something that is read from the gateway. */
export type Resource<T> = Reading<T, ApiError>;

/** @param load - reads it; is given a signal that ends a read whose result is not wanted any more */
export function createResource<T>(load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  return createReading(load, toApiError);
}

/** @returns what went wrong, for the person */
export function toApiError(problem: unknown): ApiError {
  if (problem instanceof ApiError) return problem;
  return new ApiError(0, 'PageFault', problem instanceof Error ? problem.message : String(problem));
}
