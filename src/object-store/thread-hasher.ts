import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FollowedFile, Hasher } from '../ports.ts';
import type { HashAnswer, HashRequest } from './hash-messages.ts';

/** A thread runs built code, also when the rest runs from the sources, as in a test. */
const THREAD_FILE = join(__dirname, '..', '..', 'dist', 'object-store', 'hash-thread.js');
const THREADS = 2;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Answer<K extends HashAnswer['kind']> = Extract<HashAnswer, { kind: K }>;

interface Waiting {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One hash thread. It starts when it is first needed, keeps the process alive only while somebody waits for it,
 * and is replaced when it dies.
 */
class HashThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastJob = 0;

  get load(): number {
    return this.#waiting.size;
  }

  /** Starts a job. @returns how to tell it more, and its answer */
  start(request: { kind: 'follow' | 'sha256'; path: string }): {
    tell: (more: DistributiveOmit<HashRequest, 'job'>) => void;
    answer: Promise<HashAnswer>;
  } {
    const job = ++this.#lastJob;
    const worker = (this.#worker ??= this.#spawn());
    const answer = new Promise<HashAnswer>((resolve, reject) => {
      this.#waiting.set(job, { resolve, reject });
    });
    // Whoever waits is told; a failure that nobody waits for any more is none.
    answer.catch(() => undefined);
    worker.ref();
    const tell = (more: DistributiveOmit<HashRequest, 'job'>): void => {
      worker.postMessage({ job, ...more });
      if (more.kind === 'abandon') this.#conclude(job)?.reject(new Error('abandoned'));
    };
    tell(request);
    return { tell, answer };
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #conclude(job: number): Waiting | undefined {
    const waiting = this.#waiting.get(job);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0) this.#worker?.unref();
    return waiting;
  }

  #spawn(): Worker {
    const worker = new Worker(THREAD_FILE);
    worker.on('message', (answer: HashAnswer) => {
      const waiting = this.#conclude(answer.job);
      if (answer.kind === 'failed') waiting?.reject(new Error(`hashing failed: ${answer.message}`));
      else waiting?.resolve(answer);
    });
    const fail = (error: Error): void => {
      // A thread that dies says so twice; by the second time another may have taken its place.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const job of [...this.#waiting.keys()]) this.#conclude(job)?.reject(error);
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
    const { tell, answer } = this.#leastBusy().start({ kind: 'follow', path });
    return {
      advance: (size) => {
        tell({ kind: 'advance', size });
      },
      finish: async (size) => {
        tell({ kind: 'finish', size });
        const { md5, crc64 } = expect('followed', await answer);
        return { md5, crc64 };
      },
      abandon: () => {
        tell({ kind: 'abandon' });
      },
    };
  }

  async sha256(path: string): Promise<string> {
    const { answer } = this.#leastBusy().start({ kind: 'sha256', path });
    return expect('sha256', await answer).sha256;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #leastBusy(): HashThread {
    return this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
  }
}

function expect<K extends HashAnswer['kind']>(kind: K, answer: HashAnswer): Answer<K> {
  if (!isKind(answer, kind)) throw new Error(`a hash thread answered ${answer.kind}, not ${kind}`);
  return answer;
}

function isKind<K extends HashAnswer['kind']>(answer: HashAnswer, kind: K): answer is Answer<K> {
  return answer.kind === kind;
}
