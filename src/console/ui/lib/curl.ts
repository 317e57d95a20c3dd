/** @returns a command that downloads a URL into a file, for a POSIX shell */
export function curlOf(name: string, url: string): string {
  return `curl --fail --output ${shellWord(name)} ${shellWord(url)}`;
}

/** @returns a text as one word of a POSIX shell */
function shellWord(text: string): string {
  return /^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
