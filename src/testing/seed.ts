import { toMilliseconds } from '../lib/clock.ts';
import type { SeedOptions, SeededUpload, TestGateway } from './test-gateway.ts';

type SeedDependencies = Pick<
  TestGateway,
  'apiAs' | 'accessKey' | 'clock' | 'config' | 'downloadUrl' | 'postObject' | 'purgeUnclaimed'
>;

/** An upload that has no download URL yet: it is signed after the clock is set again. */
type Seeded = Omit<SeededUpload, 'downloadUrl'>;

/** How many steps lead to each state. A purged seed is stored, and then purged by its age. */
const STEPS = { issued: 0, stored: 1, claimed: 2, purging: 3, purged: 1 } as const;

/** Makes the `seed` function of a gateway. Seeds run one after the other, because each moves the clock. */
export function createSeed(
  gateway: SeedDependencies,
): (options: SeedOptions) => Promise<SeededUpload> {
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  return (options) => {
    const name = `seed${String(++count)}`;
    const seeding = last.then(() => seedAt(gateway, options, name));
    last = seeding.catch(() => undefined);
    return seeding.then((seeded) => ({ ...seeded, downloadUrl: gateway.downloadUrl(seeded.key) }));
  };
}

async function seedAt(
  gateway: SeedDependencies,
  options: SeedOptions,
  name: string,
): Promise<Seeded> {
  const { clock, config } = gateway;
  const now = clock.now();
  const isPurged = options.state === 'purged';
  // A purged upload must be old enough that its deadline has passed.
  const age = Math.max(toMilliseconds(options.age ?? {}), isPurged ? config.claimTtl : 0);
  clock.set(now - age);
  try {
    const seeded = await seed(gateway, options, name);
    if (isPurged) {
      clock.set(now - age + config.claimTtl);
      await gateway.purgeUnclaimed();
    }
    return seeded;
  } finally {
    clock.set(now);
  }
}

async function seed(
  gateway: SeedDependencies,
  { accessKey, bytes = 'firmware', firmware, state, upload }: SeedOptions,
  name: string,
): Promise<Seeded> {
  const api = gateway.apiAs(accessKey ?? gateway.accessKey);
  const iotInstanceId = upload?.iotInstanceId ?? firmware?.iotInstanceId;
  const grant = await api.generateOTAUploadURL({ ...upload, iotInstanceId });
  const { firmwareUrl, key } = grant;
  const seeded = { key, grant, firmwareUrl };
  if (STEPS[state] < STEPS.stored) return seeded;

  const posted = await gateway.postObject(grant, bytes);
  if (posted.code !== undefined) throw new Error(`could not post a seed: ${posted.body}`);
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
