import { toMilliseconds } from '../lib/clock.ts';
import type { Duration } from '../lib/clock.ts';
import type { UploadGrant } from './api-client.ts';
import type { CreateParameters, GenerateParameters, OtaClient } from './ota-client.ts';
import type { PostResponse } from './post-object.ts';

/** An access key: its public id and its secret. */
export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** The upload that `seed` makes. */
export interface SeedOptions {
  /** The state to reach. `purging`: its package was deleted. `purged`: it was not claimed in time. */
  readonly state: SeedState;
  /** The file; the text `firmware` when absent. */
  readonly bytes?: Uint8Array | string | undefined;
  /** How long ago it was issued, stored and claimed; now when absent. */
  readonly age?: Duration | undefined;
  /** Parameters of GenerateOTAUploadURL. */
  readonly upload?: GenerateParameters | undefined;
  /** Parameters of CreateOTAFirmware; name and version are generated when absent. */
  readonly firmware?: Partial<Omit<CreateParameters, 'firmwareUrl' | 'multiFiles'>> | undefined;
  /** The access key to call with; that of the default account when absent. */
  readonly accessKey?: Key | undefined;
}

/** An upload that `seed` has made. */
export interface SeedResult {
  readonly key: string;
  readonly grant: UploadGrant;
  readonly firmwareUrl: string;
  /** The id of its firmware package; only when the upload is, or was, claimed. */
  readonly firmwareId?: string;
}

/** How many steps lead to each state. A purged seed is stored, and then purged by its age. */
const STEPS: Readonly<Record<SeedState, number>> = {
  issued: 0,
  stored: 1,
  claimed: 2,
  purging: 3,
  purged: 1,
};

/** A state that a seed can have. */
export type SeedState = 'issued' | 'stored' | 'claimed' | 'purging' | 'purged';

/** What `seed` works with. */
export interface SeedDependencies {
  /** Is set back by the age of a seed while it is made. */
  readonly clock: { now(): number; set(time: number): void };
  /** How long a stored upload can be claimed, in milliseconds. */
  readonly claimTtl: number;
  /** @returns a client that calls with this access key, or with the default one */
  readonly api: (accessKey: Key | undefined) => OtaClient;
  readonly post: (grant: UploadGrant, bytes: Uint8Array | string) => Promise<PostResponse>;
  readonly purge: () => Promise<unknown>;
}

/** Thrown when the file of a seed was refused. */
export class SeedError extends Error {
  override readonly name = 'SeedError';
}

/** Makes the `seed` function of a gateway. Seeds run one after the other, because each moves the clock. */
export function createSeed(deps: SeedDependencies): (options: SeedOptions) => Promise<SeedResult> {
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  return (options) => {
    const name = `seed${String(++count)}`;
    const seeding = last.then(() => seedAt(deps, options, name));
    last = seeding.catch(() => undefined);
    return seeding;
  };
}

async function seedAt(
  deps: SeedDependencies,
  options: SeedOptions,
  name: string,
): Promise<SeedResult> {
  const { claimTtl, clock, purge } = deps;
  const isPurged = options.state === 'purged';
  // A purged upload must be old enough that its deadline has passed.
  const age = Math.max(toMilliseconds(options.age ?? {}), isPurged ? claimTtl : 0);
  // A clock that runs would lose the time that the seed takes.
  if (age === 0) return seed(deps, options, name);
  const now = clock.now();
  clock.set(now - age);
  try {
    const seeded = await seed(deps, options, name);
    if (isPurged) {
      clock.set(now - age + claimTtl);
      await purge();
    }
    return seeded;
  } finally {
    clock.set(now);
  }
}

async function seed(
  { api: apiOf, post }: SeedDependencies,
  { accessKey, bytes = 'firmware', firmware, state, upload }: SeedOptions,
  name: string,
): Promise<SeedResult> {
  const api = apiOf(accessKey);
  const iotInstanceId = upload?.iotInstanceId ?? firmware?.iotInstanceId;
  const grant = await api.generateOTAUploadURL({ ...upload, iotInstanceId });
  const { firmwareUrl, key } = grant;
  const seeded = { key, grant, firmwareUrl };
  if (STEPS[state] < STEPS.stored) return seeded;

  const posted = await post(grant, bytes);
  if (posted.status !== 200) throw new SeedError(`could not post a seed: ${posted.body}`);
  if (STEPS[state] < STEPS.claimed) return seeded;

  const { firmwareId } = await api.createOTAFirmware({
    firmwareName: name,
    destVersion: `1.0.0-${name}`,
    iotInstanceId,
    ...firmware,
    firmwareUrl,
  });
  if (STEPS[state] >= STEPS.purging) await api.deleteOTAFirmware({ firmwareId, iotInstanceId });
  return { ...seeded, firmwareId };
}
