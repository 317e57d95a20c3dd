/** Shows of an error what a real logger shows. */
export function showErrors(_name: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { cause, message, stack } = value;
  return { ...Object.fromEntries(Object.entries(value)), message, stack, cause };
}

/** @returns those secrets that a text has, also in Base64, or percent-encoded */
export function foundSecrets(text: string, secrets: readonly string[]): string[] {
  const isThere = (secret: string): boolean => {
    const encoded = encodeURIComponent(secret);
    const forms = [secret, encoded, encodeURIComponent(encoded)];
    return [...forms, Buffer.from(secret).toString('base64')].some((form) => text.includes(form));
  };
  return secrets.filter((secret) => secret !== '' && isThere(secret));
}
