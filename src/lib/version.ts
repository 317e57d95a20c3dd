import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The path is the same from the sources and from the built files. */
const MANIFEST = join(__dirname, '..', '..', 'package.json');

/** @returns the version of this package */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  if (!hasVersion) throw new Error(`${MANIFEST} has no version`);
  return String(manifest.version);
}
