import { randomFillSync, randomUUID } from 'node:crypto';

/** Generates the ids of the gateway. Each call returns an id that was never returned before. */
export interface Ids {
  /** Request id of the IoT API: an upper-case UUID. */
  apiRequest(): string;
  /** Request id of OSS: 24 upper-case hexadecimal digits. */
  ossRequest(): string;
  /** Name of one stored body, forever: 32 lower-case letters or digits, safe as a file name. */
  locator(): string;
  /**
   * Last part of an object key: 25 characters in the shape of a cuid. They begin with `c` and the time in base 36, so
   * names sort by time. The time has eight digits, which last from 1970 to 2059.
   * @param now - milliseconds since the Unix epoch
   */
  objectName(now: number): string;
  /** Id of a firmware package: 26 letters or digits. */
  firmware(): string;
}

const BASE36_TIME_DIGITS = 8;
const LAST_TIME = 36 ** BASE36_TIME_DIGITS - 1;

function timePrefix(now: number): string {
  const time = Math.min(Math.max(Math.floor(now), 0), LAST_TIME);
  return `c${time.toString(36).padStart(BASE36_TIME_DIGITS, '0')}`;
}

const POOL_BYTES = 4096;

/** Random bytes from a pool, because the operating system takes as long for a few bytes as for many. */
class RandomPool {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  /** @returns bytes that are valid until the next call */
  take(length: number): Buffer {
    if (this.#used + length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += length;
    return this.#pool.subarray(this.#used - length, this.#used);
  }
}

const random = new RandomPool();

function randomBase36(length: number): string {
  let text = '';
  for (const byte of random.take(length)) text += (byte % 36).toString(36);
  return text;
}

const FIRMWARE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Ids that cannot be guessed. */
export const randomIds: Ids = {
  apiRequest: () => randomUUID().toUpperCase(),
  ossRequest: () => random.take(12).toString('hex').toUpperCase(),
  locator: () => random.take(16).toString('hex'),
  objectName: (now) => timePrefix(now) + randomBase36(16),
  firmware: () =>
    Array.from(random.take(26), (byte) =>
      FIRMWARE_ALPHABET.charAt(byte % FIRMWARE_ALPHABET.length),
    ).join(''),
};

/** Whether a name can be a locator. A locator has a digit: 32 random characters are never all letters. */
export function isLocator(name: string): boolean {
  return /^(?=.*\d)[0-9a-z]{2,64}$/.test(name);
}

/** @returns the boundary of a multipart body: the file in it may contain any constant */
export function multipartBoundary(): string {
  return `----ota-gateway-${random.take(16).toString('hex')}`;
}

/** @returns a number from 0 up to 1, which spreads what many do at the same moment */
export function randomFraction(): number {
  return random.take(4).readUInt32LE() / 2 ** 32;
}

/** Ids that count from one, so that equal runs have equal ids. For tests only. */
export function sequentialIds(): Ids {
  const counters = new Map<keyof Ids, number>();
  const next = (kind: keyof Ids, radix: number, length: number): string => {
    const count = (counters.get(kind) ?? 0) + 1;
    counters.set(kind, count);
    return count.toString(radix).padStart(length, '0');
  };
  return {
    apiRequest: () => `00000000-0000-4000-8000-${next('apiRequest', 16, 12).toUpperCase()}`,
    ossRequest: () => next('ossRequest', 16, 24).toUpperCase(),
    locator: () => next('locator', 16, 32),
    objectName: (now) => timePrefix(now) + next('objectName', 36, 16),
    firmware: () => next('firmware', 36, 26),
  };
}
