/** @returns the items that are now, each as the same object as before when nothing of it has changed */
export function keepUnchanged<T extends object>(
  before: readonly T[],
  now: readonly T[],
): readonly T[] {
  const known = new Map(before.map((item) => [JSON.stringify(item), item]));
  return now.map((item) => known.get(JSON.stringify(item)) ?? item);
}
