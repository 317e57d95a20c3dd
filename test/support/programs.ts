import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Defines a suite that runs a program of the machine. Without the program the suite is skipped, and its name says why;
 * CI counts this as a failure.
 */
export function describeWith(program: string, name: string, suite: () => void): void {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, program)))) describe(name, suite);
  else describe.skip(`${name} (${program} is not installed)`, suite);
}
