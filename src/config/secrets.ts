const MASK = '********';

const SECRET = /(?:Secret|Token)$/;
const URL_SETTINGS = ['ledgerUrl', 'storeUrl'];
const PASSWORD = 'password';

/** Whether no message may repeat the value of a setting. */
export function isSecret(setting: string): boolean {
  return SECRET.test(setting) || URL_SETTINGS.includes(setting);
}

/** @returns the value of a setting as people may see it: of a URL, its password alone is masked */
export function maskSecret(setting: string, value: unknown): unknown {
  if (SECRET.test(setting)) return MASK;
  if (!URL_SETTINGS.includes(setting) || typeof value !== 'string') return value;
  return maskUrl(value);
}

/** @returns a URL without its password; only a mask when it is not a URL */
function maskUrl(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (url.password !== '') url.password = MASK;
  if (url.searchParams.has(PASSWORD)) url.searchParams.set(PASSWORD, MASK);
  return url.href;
}
