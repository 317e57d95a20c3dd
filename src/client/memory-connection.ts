import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate } from '../lib/timers.ts';

/** The same limit as that of a listener: SDKs send every parameter in the query. */
const MAX_HEADER_BYTES = 64 * 1024;

/** One end of a connection inside the process. Implements only what node:http needs of a socket. */
export class MemorySocket extends Duplex {
  #peer: MemorySocket | undefined;
  #onRead: (() => void) | undefined;
  /** As in `net.Socket`. */
  bytesRead = 0;

  /** @returns two ends; what is written to one is read from the other */
  static pair(): [MemorySocket, MemorySocket] {
    const [one, other] = [new MemorySocket(), new MemorySocket()];
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  override _read(): void {
    const onRead = this.#onRead;
    this.#onRead = undefined;
    onRead?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const peer = this.#peer;
    // The peer no longer reads, so the bytes are dropped; the end of the connection reports that.
    if (peer === undefined || peer.destroyed || peer.readableEnded) {
      setImmediate(done);
      return;
    }
    peer.#onRead = done;
    peer.bytesRead += chunk.length;
    // A copy, as in the kernel: the sender may reuse its memory after `done`.
    peer.push(Buffer.from(chunk));
  }

  override _final(done: () => void): void {
    const peer = this.#peer;
    if (peer !== undefined && !peer.destroyed) peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.#peer;
    this.#peer = undefined;
    const onRead = this.#onRead;
    this.#onRead = undefined;
    done(error);
    setImmediate(() => {
      onRead?.();
      if (peer === undefined || peer.destroyed) return;
      if (this.writableFinished) peer.#hangUp();
      else peer.destroy(connectionReset());
    });
  }

  /** Ends the connection, and destroys it after everything was passed on. */
  destroySoon(): void {
    if (this.writableFinished) {
      this.destroy();
      return;
    }
    this.end(() => {
      this.destroy();
    });
  }

  /** Destroys the connection at once; the other end gets ECONNRESET. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  /** Closes this end after the other one was closed without an error: bytes that it has sent can still be read. */
  #hangUp(): void {
    if (this.readableEnded || this.destroyed) this.destroy();
    else this.once('end', () => this.destroy());
  }
}

function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

/** A server without a port. */
export interface MemoryServer {
  /** Opens a connection to the server. */
  readonly connect: () => MemorySocket;
  /** Destroys all connections. */
  readonly close: () => void;
}

/** Serves HTTP inside the process: without a port or a network, and without keeping the process alive. */
export function createMemoryServer(handle: RequestListener): MemoryServer {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, handle);
  const open = new Set<Duplex>();
  return {
    connect: () => {
      const [client, served] = MemorySocket.pair();
      open.add(served);
      served.once('close', () => open.delete(served));
      server.emit('connection', served);
      return client;
    },
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
