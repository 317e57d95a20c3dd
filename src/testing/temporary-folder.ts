import { readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../lib/is-running.ts';

const PREFIX = 'ota-gateway-kit-';
/** The processes in which the id counts, and the id of the process that uses the folder. */
const NAME = /^ota-gateway-kit-(\d+)-(\d+)-[A-Za-z0-9]+$/;

/** Creates a folder for the files of a test gateway. */
export function createTemporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${PREFIX}${pidNamespace()}-${String(process.pid)}-`));
}

/**
 * Removes the folders of processes that were killed before they could do it. Ignores errors: what cannot be removed, for
 * example what belongs to another user, does not prevent a test.
 */
export async function removeAbandonedFolders(): Promise<void> {
  const folder = tmpdir();
  const names = await readdir(folder).catch(() => []);
  const abandoned = names.filter(isAbandoned).map((name) => join(folder, name));
  await Promise.allSettled(abandoned.map((path) => rm(path, { recursive: true, force: true })));
}

function isAbandoned(name: string): boolean {
  const [, namespace, pid] = NAME.exec(name) ?? [];
  return pid !== undefined && namespace === pidNamespace() && !isRunning(Number(pid));
}

/**
 * Containers may share a temporary folder, and each has a process 1.
 * @returns the number of the namespace of this process's id (Linux, pid_namespaces(7)); 0 where there is none
 */
function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}
