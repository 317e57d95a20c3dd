import { bySecond } from '../lib/dates.ts';

const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;

/**
 * Parses a date header, e.g. `Thu, 17 Nov 2005 18:49:58 GMT`: the only format that OSS documents and that SDKs send.
 * @returns Unix milliseconds; undefined when the text is not such a date
 */
export function parseHttpDate(text: string): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

const httpDate = bySecond((second) => second.toUTCString());

/** @returns the date header of a time in Unix milliseconds; parts of a second are dropped */
export function formatHttpDate(time: number): string {
  return httpDate(Math.floor(time / 1000));
}
