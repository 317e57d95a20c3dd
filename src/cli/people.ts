const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** @returns a number of bytes for people, such as `12.3 MiB` */
export function formatSize(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? String(amount) : amount.toFixed(1)} ${UNITS[power] ?? ''}`;
}

/** @returns a count with its noun, in the singular or plural: `1 upload`, `2 uploads` */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The units of a time span, in milliseconds; a span is given in the largest that it has at least two of. */
const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** @returns a time span for people, such as `90 s`, `12 min`, `3 d`; negative ones begin with a minus */
export function formatSpan(milliseconds: number): string {
  const span = Math.abs(milliseconds);
  const [unit, size] = SPANS.find(([, size]) => span >= 2 * size) ?? ['s', 1000];
  const sign = milliseconds <= -1000 ? '-' : '';
  return `${sign}${String(Math.floor(span / size))} ${unit}`;
}

/** @returns a time for people: local, with seconds */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}
