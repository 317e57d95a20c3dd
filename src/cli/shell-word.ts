const PLAIN = /^[\w@%+=:,./-]+$/;

/** @returns a text as one word of a POSIX shell, in quotes when it needs them */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
