import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { formFields } from '../../../src/client/post-object.ts';

const BOUNDARY = 'reliability';

/** The bytes of a form, and the position of its file. */
export interface FormBytes {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** The bytes of a form before and after its file. */
export function formBytes(grant: UploadGrant): FormBytes {
  const fields = formFields(grant).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`;
  return {
    head: Buffer.from(fields.join('') + file),
    tail: Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  };
}

/** The head of the request that posts a form of a given length. */
export function requestHead(host: string, length: number, more = ''): string {
  return (
    `POST / HTTP/1.1\r\nHost: ${new URL(host).host}\r\n${more}` +
    `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n` +
    `Content-Length: ${String(length)}\r\n\r\n`
  );
}

/** The complete request that posts a file, as bytes. */
export function uploadBytes(grant: UploadGrant, file: Buffer): Buffer {
  const { head, tail } = formBytes(grant);
  const length = head.length + file.length + tail.length;
  return Buffer.concat([Buffer.from(requestHead(grant.host, length)), head, file, tail]);
}

/** A connection on which the test sends every byte itself. */
export class RawConnection {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  #received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    // Errors are visible in the received bytes.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString('latin1')));
    this.closed = once(socket, 'close').catch(() => undefined);
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ port: Number(port), host: hostname });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  get received(): string {
    return this.#received;
  }

  /** Status of the first response; undefined while there is none. */
  get status(): number | undefined {
    const digits = /^HTTP\/1\.1 (\d{3})/.exec(this.#received)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /** Resolves when the operating system has the bytes, or the connection has ended. */
  async send(bytes: Buffer | string): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.write(bytes, () => resolve());
    });
  }

  /** Resets the connection: the other side gets an error at once, and bytes in transit are lost. */
  vanish(): void {
    this.socket.resetAndDestroy();
  }
}
