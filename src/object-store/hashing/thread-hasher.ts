import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HashResponse, HashRequest } from './hash-messages.ts';
import type { FollowedFile, Hasher } from './hasher.ts';

/** A thread runs built code, also when the rest runs from the sources, as in a test. */
const THREAD_FILE = join(
  __dirname,
  ...['..', '..', '..', 'dist', 'object-store', 'hashing', 'hash-thread.js'],
);
const THREADS = 2;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What a digest of as many bytes costs, compared with the others. */
const COST = { md5: 2, crc64: 1, sha256: 1 } as const;
type Algorithm = keyof typeof COST;

interface Waiting {
  readonly algorithm: Algorithm;
  readonly resolve: (digest: string) => void;
  readonly reject: (error: Error) => void;
}

/** A digest that a thread is computing. */
interface HashJob {
  tell(more: DistributiveOmit<HashRequest, 'job'>): void;
  readonly digest: Promise<string>;
}

/**
 * One hash thread. It starts when it is first needed, keeps the process alive only while somebody waits for it,
 * and is replaced when it dies.
 */
class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastJob = 0;

  /** What it has to do. */
  get load(): number {
    return [...this.#waiting.values()].reduce((sum, { algorithm }) => sum + COST[algorithm], 0);
  }

  start(algorithm: Algorithm, path: string): HashJob {
    const job = ++this.#lastJob;
    const worker = (this.#worker ??= this.#spawn());
    const digest = new Promise<string>((resolve, reject) => {
      this.#waiting.set(job, { algorithm, resolve, reject });
    });
    // Whoever waits is told; a failure that nobody waits for any more is none.
    digest.catch(() => undefined);
    worker.ref();
    const tell: HashJob['tell'] = (more) => {
      worker.postMessage({ job, ...more });
      if (more.kind === 'stop') this.#takeWaiting(job)?.reject(new Error('hashing was stopped'));
    };
    if (algorithm === 'sha256') tell({ kind: 'sha256', path });
    else tell({ kind: 'follow', path, digest: algorithm });
    return { tell, digest };
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #takeWaiting(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0) this.#worker?.unref();
    return waiting;
  }

  #spawn(): Worker {
    const worker = new Worker(THREAD_FILE);
    worker.on('message', (answer: HashResponse) => {
      const waiting = this.#takeWaiting(answer.job);
      if (answer.kind === 'failed') waiting?.reject(new Error(`hashing failed: ${answer.message}`));
      else waiting?.resolve(answer.digest);
    });
    const fail = (error: Error): void => {
      // A thread that dies says so twice; by the second time another may have taken its place.
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

/** Hashes files on threads of their own, so that neither the event loop nor the network waits for digests. */
export class ThreadHasher implements Hasher {
  readonly #threads = Array.from({ length: THREADS }, () => new HashThread());

  follow(path: string): FollowedFile {
    // Side by side, because what is left to hash after the last byte keeps the client waiting.
    const md5 = this.#start('md5', path);
    const crc64 = this.#start('crc64', path);
    const tell: HashJob['tell'] = (more) => {
      for (const job of [md5, crc64]) job.tell(more);
    };
    return {
      advance: (size) => {
        tell({ kind: 'advance', size });
      },
      finish: async (size) => {
        tell({ kind: 'finish', size });
        return { md5: await md5.digest, crc64: await crc64.digest };
      },
      stop: () => {
        tell({ kind: 'stop' });
      },
    };
  }

  async sha256(path: string): Promise<string> {
    return this.#start('sha256', path).digest;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #start(algorithm: Algorithm, path: string): HashJob {
    return this.#threads
      .reduce((best, thread) => (thread.load < best.load ? thread : best))
      .start(algorithm, path);
  }
}
