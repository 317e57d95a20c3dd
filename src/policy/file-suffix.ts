/** The values of FileSuffix (IoT Platform, GenerateOTAUploadURL). */
export const FILE_SUFFIXES = ['bin', 'dav', 'apk', 'tar', 'gz', 'tar.gz', 'zip', 'gzip'] as const;

export type FileSuffix = (typeof FILE_SUFFIXES)[number];

/** @returns the longest known suffix of a file name; `bin` when it has none */
export function suffixOf(name: string): FileSuffix {
  const lower = name.toLowerCase();
  const found = FILE_SUFFIXES.filter((suffix) => lower.endsWith(`.${suffix}`));
  return found.toSorted((a, b) => b.length - a.length)[0] ?? 'bin';
}
