import type { NonceMemory } from '../accounts/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import { equalInConstantTime } from '../signatures/constant-time.ts';

/** What challenges are made of. */
export interface ChallengeDependencies {
  /** Its secret is the same on every node, and after a restart. */
  readonly bucketKey: Pick<BucketKey, 'hmac'>;
  readonly nonces: Pick<NonceMemory, 'burn'>;
  /** The machine's clock, which no test moves. */
  readonly wallClock: Clock;
  /** The clock of the gateway, by which nonces are forgotten. */
  readonly clock: Clock;
}

const LIFETIME_MS = 60_000;
const SHAPE = /^(\d{1,15})\.([\da-f]{32})\.([\da-f]{64})$/;
/** Follows the bucket secret, so that the key of this MAC signs nothing else. */
const KEY_SUFFIX = '\nota-gateway console challenge';
/** Challenges are burnt under a name that no access key id can have: those have no spaces. */
const BURNT_AS = 'console challenge';

/** A challenge, `time.random.MAC`: nothing is kept of it until it is used. */
export class Challenges {
  readonly #deps: ChallengeDependencies;

  constructor(deps: ChallengeDependencies) {
    this.#deps = deps;
  }

  create(): string {
    // Not the ids of the gateway, which count up in tests.
    const text = `${String(this.#deps.wallClock.now())}.${randomIds.locator()}`;
    return `${text}.${this.#sign(text)}`;
  }

  /** Whether a gateway with the same bucket key has made a challenge in the last 60 seconds. */
  isFresh(challenge: string): boolean {
    const [, time = '', random = '', mac = ''] = SHAPE.exec(challenge) ?? [];
    if (!equalInConstantTime(mac, this.#sign(`${time}.${random}`))) return false;
    // Another node may have made it, whose clock is ahead.
    return Math.abs(this.#deps.wallClock.now() - Number(time)) < LIFETIME_MS;
  }

  /** Uses a challenge up. @returns false when it was used before */
  burn(challenge: string): Promise<boolean> {
    const { clock, nonces } = this.#deps;
    const [, , random = ''] = SHAPE.exec(challenge) ?? [];
    return nonces.burn(BURNT_AS, random, clock.now() + 2 * LIFETIME_MS);
  }

  #sign(text: string): string {
    return this.#deps.bucketKey.hmac('sha256', text, KEY_SUFFIX).toString('hex');
  }
}
