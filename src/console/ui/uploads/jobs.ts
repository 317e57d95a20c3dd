import type { PackageShape } from '../../../operator/package-shapes.ts';
import { callApi, uploadPath } from '../lib/api.ts';
import type { ApiError } from '../lib/api.ts';
import { toApiError } from '../lib/resource.ts';

/** Files that a package has at most. */
export const MAX_FILES = 20;

/** What CreateOTAFirmware gets, beside the files. An empty text is left out. */
export interface ClaimFields {
  readonly name: string;
  readonly version: string;
  readonly moduleName: string;
  readonly productKey: string;
}

/** What became of one upload. */
export interface Outcome {
  readonly key: string;
  readonly error?: ApiError;
  readonly package?: Pick<PackageShape, 'firmwareId' | 'name' | 'version'>;
}

/** Something that is done to several uploads, one after the other. */
export interface Job {
  readonly kind: 'claim' | 'remove';
  readonly total: number;
  readonly outcomes: readonly Outcome[];
}

/** Claims uploads as one package. @throws ApiError */
export function claim(fields: ClaimFields, keys: readonly string[]): Promise<PackageShape> {
  const given = Object.entries(fields).filter(([, value]) => value !== '');
  const body = { ...Object.fromEntries(given), keys };
  return callApi<PackageShape>('packages', { method: 'POST', body });
}

/** Deletes a stored upload. @throws ApiError */
export async function remove(key: string): Promise<void> {
  await callApi<unknown>(uploadPath(key), { method: 'DELETE' });
}

/** @returns the fields of one of several packages: names are unique in an account */
export function numbered(fields: ClaimFields, index: number): ClaimFields {
  return { ...fields, name: `${fields.name}-${String(index + 1)}` };
}

/**
 * Does something to each key. One that fails does not stop the others.
 * @param report - is given the job after each step
 */
export async function runJob(
  kind: Job['kind'],
  keys: readonly string[],
  act: (key: string, index: number) => Promise<Omit<Outcome, 'key'>>,
  report: (job: Job) => void,
): Promise<Job> {
  let job: Job = { kind, total: keys.length, outcomes: [] };
  report(job);
  for (const [index, key] of keys.entries()) {
    const outcome = await act(key, index).catch((error: unknown) => ({ error: toApiError(error) }));
    job = { ...job, outcomes: [...job.outcomes, { key, ...outcome }] };
    report(job);
  }
  return job;
}

/** @returns how many of the outcomes are failures */
export function failuresOf({ outcomes }: Job): number {
  return outcomes.filter(({ error }) => error !== undefined).length;
}
