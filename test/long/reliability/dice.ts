/**
 * Repeatable random numbers: the same seed gives the same numbers. A test prints its seed; `RELIABILITY_SEED` sets it.
 */
export class Dice {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** Random numbers with a new seed, which is printed on standard error. */
  static roll(subject: string): Dice {
    const given = process.env['RELIABILITY_SEED'];
    const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
    report(subject, `seed ${String(seed)} (repeat with RELIABILITY_SEED=${String(seed)})`);
    return new Dice(seed);
  }

  /** @returns a number from 0, less than 1 (mulberry32) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns a whole number from 0, less than `limit` */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** @returns true with a probability */
  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('there is nothing to pick from');
    return choice;
  }

  /** @returns the items in random order */
  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.flatMap(() => left.splice(this.below(left.length), 1));
  }

  /** @returns dice for one of several concurrent users, so that their order does not matter */
  fork(): Dice {
    return new Dice(Math.floor(this.next() * 2 ** 32));
  }
}

/** @returns how often to do something: the count for CI, or the value of an environment variable */
export function amount(variable: string, inCi: number): number {
  const text = process.env[variable];
  return text === undefined ? inCi : Number(text);
}

/** Prints the progress of a run. */
export function report(subject: string, text: string): void {
  process.stderr.write(`[${subject}] ${text}\n`);
}
