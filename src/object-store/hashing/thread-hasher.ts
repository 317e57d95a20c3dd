import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HashRequest, HashResponse } from './hash-messages.ts';
import type { DigestName, FollowedFile, Hasher } from './hasher.ts';

/** Threads run the built code, even in tests, where the rest runs from the sources. */
const THREAD_FILE = join(
  __dirname,
  ...['..', '..', '..', 'dist', 'object-store', 'hashing', 'hash-thread.js'],
);
const THREADS = 2;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Relative cost of each digest. */
const COST: Readonly<Record<DigestName, number>> = { md5: 2, crc64: 1, sha256: 1 };

interface Waiting {
  readonly algorithm: DigestName;
  readonly resolve: (digest: string) => void;
  readonly reject: (error: Error) => void;
}

/** A digest that a thread is computing. */
interface HashJob {
  send(request: DistributiveOmit<HashRequest, 'job'>): void;
  readonly digest: Promise<string>;
}

/**
 * One hash thread. It starts with the first job, keeps the process alive only while it has jobs, and is replaced after
 * it has ended unexpectedly.
 */
class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastJob = 0;
  #isClosing = false;

  /** The cost of its jobs together. */
  get load(): number {
    return [...this.#waiting.values()].reduce((sum, { algorithm }) => sum + COST[algorithm], 0);
  }

  /** @param isWritten - the file is still being written; the job then needs `advance` and `finish` */
  start(algorithm: DigestName, path: string, isWritten: boolean): HashJob {
    const job = ++this.#lastJob;
    const worker = (this.#worker ??= this.#spawn());
    const digest = new Promise<string>((resolve, reject) => {
      this.#waiting.set(job, { algorithm, resolve, reject });
    });
    // Avoids an unhandled rejection when nothing awaits the digest.
    digest.catch(() => undefined);
    worker.ref();
    const send: HashJob['send'] = (request) => {
      worker.postMessage({ job, ...request });
      if (request.kind === 'stop') this.#takeWaiting(job)?.reject(new Error('hashing was stopped'));
    };
    if (isWritten) send({ kind: 'follow', path, digest: algorithm });
    else send({ kind: 'sha256', path });
    return { send, digest };
  }

  async close(): Promise<void> {
    // A job that ends now must not let the process end before its thread.
    this.#isClosing = true;
    await this.#worker?.terminate();
  }

  #takeWaiting(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0 && !this.#isClosing) this.#worker?.unref();
    return waiting;
  }

  #spawn(): Worker {
    const worker = new Worker(THREAD_FILE);
    worker.on('message', (response: HashResponse) => {
      const waiting = this.#takeWaiting(response.job);
      if (response.kind === 'done') waiting?.resolve(response.digest);
      else waiting?.reject(new Error(`hashing failed: ${response.message}`));
    });
    const fail = (error: Error): void => {
      // A failed thread emits `error` and then `exit`; a new thread may have replaced it in between.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const job of [...this.#waiting.keys()]) this.#takeWaiting(job)?.reject(error);
    };
    worker.on('error', fail);
    worker.on('exit', () => {
      fail(new Error('the hash thread has ended'));
    });
    return worker;
  }
}

/** Hashes files on other threads, so that the event loop does not wait for digests. */
export class ThreadHasher implements Hasher {
  readonly #threads = Array.from({ length: THREADS }, () => new HashThread());

  follow(path: string, digests?: 'all'): FollowedFile {
    // Each in its own job, so that they can run on two threads: the client waits for the digests after its last byte.
    const md5 = this.#start('md5', path, true);
    const crc64 = this.#start('crc64', path, true);
    const sha256 = digests === 'all' ? this.#start('sha256', path, true) : undefined;
    const send: HashJob['send'] = (request) => {
      for (const job of [md5, crc64, sha256]) job?.send(request);
    };
    return {
      advance: (size) => {
        send({ kind: 'advance', size });
      },
      finish: async (size) => {
        send({ kind: 'finish', size });
        return {
          md5: await md5.digest,
          crc64: await crc64.digest,
          ...(sha256 && { sha256: await sha256.digest }),
        };
      },
      stop: () => {
        send({ kind: 'stop' });
      },
    };
  }

  async sha256(path: string): Promise<string> {
    return this.#start('sha256', path, false).digest;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #start(algorithm: DigestName, path: string, isWritten: boolean): HashJob {
    return this.#threads
      .reduce((best, thread) => (thread.load < best.load ? thread : best))
      .start(algorithm, path, isWritten);
  }
}
