/**
 * Returns whether a text matches a pattern, in which `*` stands for zero or more characters. Scans the text once, from
 * left to right: taking the first match of each piece leaves the most text for the pieces after it.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop();
  if (tail === undefined) return text === pattern;
  if (text.length < head.length + tail.length) return false;
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  const middle = text.slice(head.length, text.length - tail.length);
  let from = 0;
  return pieces.every((piece) => {
    const found = middle.indexOf(piece, from);
    from = found + piece.length;
    return found !== -1;
  });
}
