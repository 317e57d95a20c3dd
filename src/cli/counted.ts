/** @returns a count with its noun, as one says it: `1 upload`, `2 uploads` */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
