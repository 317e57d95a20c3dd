/**
 * @param time - Unix milliseconds
 * @returns the time in the format of the API: UTC with milliseconds, `2019-11-04T06:21:54.607Z`
 */
export function toUtc(time: number): string {
  return new Date(time).toISOString();
}
