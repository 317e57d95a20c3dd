import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Defines a suite that runs programs of the machine. Without one of them the suite is skipped, and its name says why; CI
 * counts this as a failure.
 * @param needs - names of programs, and absolute paths of programs or of files that they load
 */
export function describeWith(
  needs: string | readonly string[],
  name: string,
  suite: () => void,
): void {
  const missing = [needs].flat().find((need) => !isInstalled(need));
  if (missing === undefined) describe(name, suite);
  else describe.skip(`${name} (${missing} is not installed)`, suite);
}

function isInstalled(need: string): boolean {
  if (isAbsolute(need)) return existsSync(need);
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, need)));
}
