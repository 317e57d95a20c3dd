import type { RequestListener } from 'node:http';
import type { Keys } from './accounts/keys.ts';
import type { Config } from './config/config.ts';
import { AdjustableClock } from './lib/clock.ts';
import { UploadWaits } from './ops/await-upload.ts';
import { createSeeding } from './ops/seeding.ts';
import type { TestControls } from './ops/test-controls.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import { findInSnapshot } from './uploads/snapshot.ts';
import type { UploadEvents } from './uploads/upload-events.ts';

/** What the test controls are composed of. */
export interface TestModeDependencies extends Pick<
  TestControls,
  'clockMoved' | 'forget' | 'notices' | 'purge' | 'refusals'
> {
  readonly config: Config;
  readonly keys: Keys;
  readonly deps: UploadDependencies;
  readonly events: UploadEvents;
  readonly faults: TestControls['faults'] | undefined;
  readonly uploads: TestControls['uploads'];
  /** The application of the gateway. */
  readonly handle: RequestListener;
}

/** The test controls, and the end of what they have begun. */
export interface TestMode {
  readonly controls: TestControls;
  readonly end: () => void;
}

/** Composes the test controls. @returns undefined when test mode is off */
export function createTestMode({
  config,
  deps,
  events,
  faults,
  handle,
  keys,
  ...rest
}: TestModeDependencies): TestMode | undefined {
  const { bucket, claimTtl, publicUrl, testMode, testModeRemote } = config;
  const { clock } = deps;
  if (!testMode || faults === undefined || !(clock instanceof AdjustableClock)) return undefined;
  const { accounts, bucketKey } = keys;
  const waits = new UploadWaits(events, (key) => findInSnapshot(deps, key));
  const seeding = createSeeding({
    claimTtl,
    clock,
    handle,
    purge: rest.purge,
    findKey: (id) =>
      id === undefined ? accounts.all[0]?.accessKeys[0] : accounts.find(id)?.accessKey,
  });
  const { seed } = seeding;
  const access = { publicUrl, testModeRemote };
  return {
    controls: { ...rest, access, bucket, bucketKey, clock, faults, seed, waits },
    end: () => {
      waits.end();
      seeding.close();
    },
  };
}
