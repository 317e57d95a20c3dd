import type { IncomingMessage } from 'node:http';
import type { UploadRow } from '../../long/reliability/inspect-data.ts';
import type { FaultyProxy } from './faulty-proxy.ts';

/** What gateways have asked of a store: locator -> the names of those that asked, in this order. */
export interface BodyRequests {
  readonly writes: ReadonlyMap<string, readonly string[]>;
  readonly deletions: ReadonlyMap<string, readonly string[]>;
}

/** @returns the environment of a gateway that says its name in each request to the store */
export function named(name: string): Readonly<Record<string, string>> {
  return { AWS_SDK_UA_APP_ID: name };
}

/** Counts the requests that arrive at a store. */
export function countBodyRequests(proxy: FaultyProxy): BodyRequests {
  const writes = new Map<string, string[]>();
  const deletions = new Map<string, string[]>();
  proxy.choose = (request) => {
    const { method } = request;
    const locator = locatorOf(request);
    const counted = method === 'PUT' ? writes : method === 'DELETE' ? deletions : undefined;
    if (locator !== undefined && counted !== undefined) {
      counted.set(locator, [...(counted.get(locator) ?? []), nameOf(request)]);
    }
    return 'none';
  };
  return { writes, deletions };
}

/** @returns undefined when a request is not about a whole body */
function locatorOf({ url = '' }: IncomingMessage): string | undefined {
  const { pathname, searchParams } = new URL(url, 'http://store');
  if (searchParams.has('uploadId')) return undefined;
  return /\/bodies\/([^/]+)$/.exec(pathname)?.[1];
}

function nameOf({ headers }: IncomingMessage): string {
  const name = /\bapp\/(\S+)/.exec(headers['user-agent'] ?? '')?.[1];
  if (name === undefined) throw new Error('a gateway has sent a request without its name');
  return name;
}

/**
 * Finds bodies that were not deleted once. A gateway that is killed after a deletion and before it is confirmed leaves the
 * body to another one, which asks again; no other gateway may be the cause of a second deletion.
 * @param rows - when nothing is in progress
 * @param killed - names of gateways
 * @returns one line for each problem
 */
export function findDeletionProblems(
  rows: readonly UploadRow[],
  { deletions }: BodyRequests,
  killed: ReadonlySet<string>,
): string[] {
  const absent = rows.flatMap(({ key, locator, state }) =>
    state === 'purged' && !deletions.has(locator ?? '')
      ? [`${key} is purged, and the store was not asked to delete ${String(locator)}`]
      : [],
  );
  const repeated = [...deletions].flatMap(([locator, by]) =>
    by.slice(0, -1).some((name) => !killed.has(name))
      ? [`${locator} was deleted by ${by.join(', ')}`]
      : [],
  );
  return [...absent, ...repeated];
}

/** @returns how often a body was deleted again */
export function countRepeats({ deletions }: BodyRequests): number {
  return [...deletions.values()].reduce((sum, by) => sum + by.length - 1, 0);
}
