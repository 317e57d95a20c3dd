import { createHash, createHmac } from 'node:crypto';

/** @returns HMAC-SHA1 in Base64. Texts are UTF-8. */
export function hmacSha1Base64(key: string, text: string): string {
  return createHmac('sha1', key).update(text, 'utf8').digest('base64');
}

/** @returns HMAC-SHA256 as bytes. Texts are UTF-8. */
export function hmacSha256(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

/** @returns SHA-256 in lower-case hexadecimal. A text is UTF-8. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
