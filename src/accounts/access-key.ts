import { randomBytes } from 'node:crypto';

/** Generates a key in the format of Alibaba Cloud: an id of 24 and a secret of 30 characters. */
export function generateAccessKey(): { readonly id: string; readonly secret: string } {
  return { id: `LTAI${randomText(20)}`, secret: randomText(30) };
}

function randomText(length: number): string {
  const text = randomBytes(2 * length).toString('base64');
  return text.replace(/[+/=]/g, '').slice(0, length);
}
