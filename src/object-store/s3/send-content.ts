import { Readable } from 'node:stream';
import type { Content } from './store-client.ts';
import { ContentBroken } from './store-errors.ts';

/** Sends bytes. An error of their stream ends the request, and is thrown. */
export async function sendContent<T>(
  content: Content,
  signal: AbortSignal | undefined,
  send: (body: Uint8Array | Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const body = content.open();
  const broken = new AbortController();
  const signals = signal === undefined ? [broken.signal] : [broken.signal, signal];
  if (!(body instanceof Readable)) return send(body, AbortSignal.any(signals));
  let failure: { readonly error: unknown } | undefined;
  body.on('error', (error) => {
    failure ??= { error };
    broken.abort();
  });
  try {
    return await send(body, AbortSignal.any(signals));
  } catch (error) {
    throw failure === undefined ? error : new ContentBroken(failure.error);
  } finally {
    body.destroy();
  }
}
