import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A suite that runs a program of the machine's. Without the program it is skipped, and says why; CI counts that as
 * a failure.
 */
export function describeWith(program: string, name: string, suite: () => void): void {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, program)))) describe(name, suite);
  else describe.skip(`${name} (${program} is not installed)`, suite);
}
