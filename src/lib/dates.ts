/** More than the seconds that one request names. */
const MAX_SECONDS = 8;

/**
 * Makes a function that remembers the texts of a few seconds: under load the same second is formatted thousands of times,
 * and `Date` takes a microsecond for each.
 * @param format - formats a whole second since the Unix epoch
 */
export function bySecond(format: (second: Date) => string): (second: number) => string {
  const texts = new Map<number, string>();
  return (second) => {
    const known = texts.get(second);
    if (known !== undefined) return known;
    const text = format(new Date(second * 1000));
    if (texts.size === MAX_SECONDS) texts.clear();
    texts.set(second, text);
    return text;
  };
}

const upToSecond = bySecond((second) => second.toISOString().slice(0, -'000Z'.length));

/**
 * @param time - whole Unix milliseconds
 * @returns UTC with milliseconds, the format of the API: `2019-11-04T06:21:54.607Z`
 * @throws RangeError when a `Date` cannot hold the time
 */
export function toUtc(time: number): string {
  const second = Math.floor(time / 1000);
  return `${upToSecond(second)}${String(time - second * 1000).padStart(3, '0')}Z`;
}
