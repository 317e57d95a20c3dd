import type { Clock } from '../lib/clock.ts';
import { ExpiringMap } from './expiring-map.ts';

const WINDOW_MS = 60_000;
/** Failures in a minute after which no further try is read. */
const MAX_OF_KEY = 5;
const MAX_OF_PEER = 100;

/** Counts the failures to sign in: of a client with one access key, and of a client with any. */
export class FailedTries {
  readonly #clock: Clock;
  readonly #counts: ExpiringMap<number>;

  /** @param monotonic - measures real time */
  constructor(monotonic: Clock) {
    this.#clock = monotonic;
    this.#counts = new ExpiringMap(monotonic);
  }

  /** @returns the milliseconds until a client may try again; 0: it may try now */
  wait(peer: string, accessKeyId: string): number {
    const now = this.#clock.now();
    const waits = namesOf(peer, accessKeyId).map(({ max, name }) => {
      const entry = this.#counts.get(name);
      return entry !== undefined && entry.value >= max ? entry.until - now : 0;
    });
    return Math.max(...waits);
  }

  /** Counts a failure. */
  add(peer: string, accessKeyId: string): void {
    const end = this.#clock.now() + WINDOW_MS;
    for (const { name } of namesOf(peer, accessKeyId)) {
      const { until = end, value = 0 } = this.#counts.get(name) ?? {};
      this.#counts.set(name, value + 1, until);
    }
  }

  /** Forgets the failures of a client with one access key. */
  forget(peer: string, accessKeyId: string): void {
    this.#counts.delete(nameOf(peer, accessKeyId));
  }
}

function namesOf(peer: string, accessKeyId: string): { name: string; max: number }[] {
  return [
    { name: nameOf(peer, accessKeyId), max: MAX_OF_KEY },
    { name: peer, max: MAX_OF_PEER },
  ];
}

function nameOf(peer: string, accessKeyId: string): string {
  return `${peer} ${accessKeyId}`;
}
