/** Whether a name can be a locator. A locator has a digit: 32 random characters are never all letters. */
export function isLocator(name: string): boolean {
  return /^(?=.*\d)[0-9a-z]{2,64}$/.test(name);
}
