/* Numbers, sizes and times as people read them, in the language of the page. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Keeps the format of each language: to make one takes longer than to use it, and a list uses hundreds a second. */
function perLanguage<T>(make: (language: string) => T): (language: string) => T {
  const made = new Map<string, T>();
  return (language) => {
    const known = made.get(language);
    if (known !== undefined) return known;
    const format = make(language);
    made.set(language, format);
    return format;
  };
}

const wholeNumbers = perLanguage((language) => new Intl.NumberFormat(language));
const tenths = perLanguage(
  (language) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);
const times = perLanguage(
  (language) =>
    new Intl.DateTimeFormat(language, {
      dateStyle: 'medium',
      timeStyle: 'medium',
      hourCycle: 'h23',
    }),
);
const ages = perLanguage(
  (language) => new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }),
);

/** @returns a size such as `64.0 MiB`, or `4 B` */
export function formatBytes(bytes: number, language: string): string {
  const exponent = Math.min(
    Math.floor(Math.log(Math.max(Math.abs(bytes), 1)) / Math.log(1024)),
    UNITS.length - 1,
  );
  const format = exponent === 0 ? wholeNumbers(language) : tenths(language);
  const number = format.format(bytes / 1024 ** exponent);
  return `${number} ${UNITS[exponent] ?? ''}`;
}

export function formatNumber(value: number, language: string): string {
  return wholeNumbers(language).format(value);
}

/** @returns a time of day and a date in the time zone of the browser, such as `Nov 26, 2026, 16:21:42` */
export function formatTime(iso: string, language: string): string {
  return times(language).format(new Date(iso));
}

const DAY_MS = 86_400_000;
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** @returns how long ago something was, or how long it will take, such as `3 min. ago` */
export function formatAgo(milliseconds: number, language: string): string {
  const [unit, size] =
    STEPS.find(([, length]) => Math.abs(milliseconds) >= length) ?? (['second', 1000] as const);
  return ages(language).format(-Math.round(milliseconds / size), unit);
}

/** @returns a time that is left, such as `57:12`, `1:02:00` or `0:00`; from a day on, such as `2 d 5 h` */
export function formatCountdown(milliseconds: number): string {
  if (milliseconds >= DAY_MS) return formatDuration(milliseconds);
  const seconds = Math.max(Math.ceil(milliseconds / 1000), 0);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : pad(part))).join(':');
}

/** @returns a duration in its two largest units, such as `30 d`, `2 h 5 min` or `40 s` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(Math.round(milliseconds / 1000), 0);
  const parts = [
    { unit: 'd', value: Math.floor(seconds / 86_400) },
    { unit: 'h', value: Math.floor(seconds / 3600) % 24 },
    { unit: 'min', value: Math.floor(seconds / 60) % 60 },
    { unit: 's', value: seconds % 60 },
  ];
  const first = parts.findIndex(({ value }) => value > 0);
  const shown = parts.slice(first).slice(0, 2);
  if (first === -1) return '0 s';
  return shown
    .filter(({ value }) => value > 0)
    .map(({ unit, value }) => `${String(value)} ${unit}`)
    .join(' ');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
