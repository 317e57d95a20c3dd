import { createHmac, hash } from 'node:crypto';

/** @returns HMAC-SHA1 in Base64; texts are encoded as UTF-8 */
export function hmacSha1Base64(key: string, text: string): string {
  return createHmac('sha1', key).update(text, 'utf8').digest('base64');
}

/** @returns HMAC-SHA256 as bytes; texts are encoded as UTF-8 */
export function hmacSha256(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

/** @returns SHA-256 in lower-case hexadecimal; a text is encoded as UTF-8 */
export function sha256Hex(bytes: Uint8Array | string): string {
  return hash('sha256', bytes, 'hex');
}
