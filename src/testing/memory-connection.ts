import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';

/** As for a listener: SDKs put every parameter into the query. */
const MAX_HEADER_BYTES = 64 * 1024;

/** One end of a connection that never leaves the process; does what node:http asks of a socket, and no more. */
class MemorySocket extends Duplex {
  #peer: MemorySocket | undefined;
  #taken: (() => void) | undefined;

  /** @returns two ends; what is written to one is read from the other */
  static pair(): [MemorySocket, MemorySocket] {
    const [one, other] = [new MemorySocket(), new MemorySocket()];
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const peer = this.#peer;
    // Nobody reads it any more; that there is nobody is told by the end of the connection.
    if (peer === undefined || peer.destroyed || peer.readableEnded) {
      setImmediate(done);
      return;
    }
    peer.#taken = done;
    peer.push(chunk);
  }

  override _final(done: () => void): void {
    const peer = this.#peer;
    if (peer !== undefined && !peer.destroyed) peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.#peer;
    this.#peer = undefined;
    const taken = this.#taken;
    this.#taken = undefined;
    done(error);
    setImmediate(() => {
      taken?.();
      if (peer === undefined || peer.destroyed) return;
      if (this.writableFinished) peer.#hangUp();
      else peer.destroy(connectionReset());
    });
  }

  /** Ends, and goes away once everything was handed over. */
  destroySoon(): void {
    if (this.writableFinished) {
      this.destroy();
      return;
    }
    this.end(() => {
      this.destroy();
    });
  }

  /** Goes away at once; the other end gets ECONNRESET. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  /** The other end is gone, in order: what it has sent may still be read. */
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
  /** Opens a connection to it. */
  readonly connect: () => Duplex;
  /** Cuts all connections. */
  readonly close: () => void;
}

/** Serves HTTP to whoever connects from the same process: no port, no network, nothing that keeps the process alive. */
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
