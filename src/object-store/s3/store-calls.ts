import { setTimeout } from '../../lib/timers.ts';
import type { FailedTryListener } from '../../uploads/ports.ts';
import { StoreUnavailable } from '../../uploads/unavailable.ts';
import { Lane } from './lane.ts';
import type { StoreLimits } from './limits.ts';
import { waitBeforeRetry } from './retry.ts';
import { failureOf, storeError } from './store-errors.ts';
import type { Failure } from './store-errors.ts';
import type { StoreHealth } from './store-health.ts';

/** Makes requests to a store: so many at a time, and each up to three times. */
export class StoreCalls {
  readonly #store: string;
  readonly #limits: StoreLimits;
  readonly #health: StoreHealth;
  readonly #random: () => number;
  readonly #requests: Lane;
  readonly #parts: Lane;
  readonly #listeners: FailedTryListener[] = [];
  readonly #standstillListeners: ((error: StoreUnavailable) => void)[] = [];

  /**
   * @param store - what messages call it
   * @param random - from 0 up to 1
   */
  constructor(store: string, limits: StoreLimits, health: StoreHealth, random: () => number) {
    this.#store = store;
    this.#limits = limits;
    this.#health = health;
    this.#random = random;
    this.#requests = new Lane(limits.requests, limits.requestPatience, (error) => {
      for (const listener of this.#standstillListeners) listener(error);
    });
    this.#parts = new Lane(limits.parts, limits.partPatience);
  }

  /** Calls back after each try that has failed. */
  onFailedTry(listener: FailedTryListener): void {
    this.#listeners.push(listener);
  }

  /** Calls back when the requests that wait are refused, because the store stands still. */
  onStandstill(listener: (error: StoreUnavailable) => void): void {
    this.#standstillListeners.push(listener);
  }

  /** @throws StoreUnavailable; an error with the code `ENOSPC` when the store is full; others unchanged */
  request<T>(call: () => Promise<T>): Promise<T> {
    return this.#take(this.#requests, call);
  }

  /** Sends a part of a body. Parts wait for parts only. */
  part<T>(call: () => Promise<T>): Promise<T> {
    return this.#take(this.#parts, call);
  }

  /** Begins to read a body: its connection lasts as long as its reader, so no other request waits for it. */
  read<T>(call: () => Promise<T>): Promise<T> {
    return this.#try(call);
  }

  /** Counts a body that broke off while it was read. @param isTriedAgain - the rest is requested */
  noteBreak(isTriedAgain: boolean): void {
    this.#note('silent', isTriedAgain);
  }

  #note(failure: Failure, isTriedAgain: boolean): void {
    if (failure === 'missing' || failure === 'stopped') return;
    for (const listener of this.#listeners) listener(failure, isTriedAgain);
  }

  #take<T>(lane: Lane, call: () => Promise<T>): Promise<T> {
    return lane.run(() =>
      this.#try(call, (failure) => {
        if (failure === 'silent') lane.refuseWaiting(`the store ${this.#store} does not answer`);
      }),
    );
  }

  async #try<T>(call: () => Promise<T>, onFailure?: (failure: Failure) => void): Promise<T> {
    let wasSkewed = false;
    for (let count = 1; ; count += 1) {
      try {
        const result = await call();
        this.#health.noteAnswer();
        return result;
      } catch (error) {
        const last = failureOf(error);
        const wait = waitBeforeRetry(
          this.#limits.retry,
          { count, last, wasSkewed },
          this.#random(),
        );
        this.#note(last, wait !== undefined);
        if (wait === undefined) {
          onFailure?.(last);
          throw this.#finalError(error);
        }
        wasSkewed ||= last === 'skewed';
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  #finalError(error: unknown): unknown {
    const final = storeError(error, this.#store);
    if (final instanceof StoreUnavailable) this.#health.noteFailure(final);
    return final;
  }
}

/** @returns undefined when the store has no such object or multipart upload */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (failureOf(error) === 'missing') return undefined;
    throw error;
  }
}
