import { equalInConstantTime } from '../signatures/constant-time.ts';
import { hmacSha256 } from '../signatures/digests.ts';

/** What the value of a session cookie says. */
export interface Token {
  readonly accessKeyId: string;
  /** By the machine's clock, in Unix milliseconds. */
  readonly expiresAt: number;
  readonly random: string;
}

/** Read from the right: an access key id may have dots. */
const SHAPE = /^(.{1,1024})\.(\d{1,15})\.([\da-f]{32})\.([\da-f]{64})$/;

/** @returns `id.expiry.random.MAC`; the id is encoded, because it may have characters that a cookie cannot */
export function formatToken(token: Token, secret: string): string {
  const { accessKeyId, expiresAt, random } = token;
  const id = encodeURIComponent(accessKeyId);
  return `${id}.${String(expiresAt)}.${random}.${sign(token, secret)}`;
}

/**
 * Reads a token.
 * @param secretOf - returns the secret of an access key; undefined when it may not be used
 * @returns undefined unless its MAC was made with that secret
 */
export function readToken(
  text: string,
  secretOf: (accessKeyId: string) => string | undefined,
): Token | undefined {
  const [, id, expiry, random] = SHAPE.exec(text) ?? [];
  if (id === undefined || random === undefined) return undefined;
  const token = { accessKeyId: decode(id), expiresAt: Number(expiry), random };
  const secret = secretOf(token.accessKeyId);
  // The whole text, so that no other way to write it is a token.
  const isRight = secret !== undefined && equalInConstantTime(text, formatToken(token, secret));
  return isRight ? token : undefined;
}

function sign({ accessKeyId, expiresAt, random }: Token, secret: string): string {
  const text = ['ota-gateway console session', accessKeyId, String(expiresAt), random].join('\n');
  return hmacSha256(secret, text).toString('hex');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
