import type { RequestListener } from 'node:http';
import type { ApiClientOptions } from '../client/api-client.ts';
import { createMemoryServer } from '../client/memory-connection.ts';
import { createMemoryClient } from '../client/memory-fetch.ts';
import { createOtaClient } from '../client/ota-client.ts';
import { formFields, postObject } from '../client/post-object.ts';
import { createSeed } from '../client/seed.ts';
import type { Key, SeedDependencies, SeedResult, SeedOptions } from '../client/seed.ts';
import { randomIds } from '../lib/ids.ts';
import { BadControl } from './responses.ts';

/** A seed as the test controls ask for it. */
export interface ControlledSeed extends Omit<SeedOptions, 'accessKey'> {
  /** Absent: the first access key of the first account. */
  readonly accessKeyId?: string | undefined;
}

interface SeedingDependencies extends Pick<SeedDependencies, 'claimTtl' | 'clock' | 'purge'> {
  /** The application of the gateway. */
  readonly handle: RequestListener;
  /** @returns the access key with this id, or the first one; undefined when there is none */
  readonly findKey: (accessKeyId: string | undefined) => Key | undefined;
}

/** Nothing listens there. */
const URL_INSIDE = 'http://gateway.test';

/** Makes the seeds of the test controls: requests inside the process, as any client sends them. */
export function createSeeding({ claimTtl, clock, findKey, handle, purge }: SeedingDependencies): {
  readonly seed: (wanted: ControlledSeed) => Promise<SeedResult>;
  /** Cuts requests that have not ended. */
  readonly close: () => void;
} {
  const memory = createMemoryServer(handle);
  const { fetch, send } = createMemoryClient(memory);
  const inside: Omit<ApiClientOptions, 'accessKeyId' | 'accessKeySecret'> = {
    endpoint: URL_INSIDE,
    clock,
    nonce: () => randomIds.apiRequest(),
    fetch,
  };
  const requireKey = (accessKeyId?: string): Key => {
    const key = findKey(accessKeyId);
    if (key === undefined) throw new BadControl(`there is no access key ${accessKeyId ?? ''}`);
    return key;
  };
  const seed = createSeed({
    claimTtl,
    clock,
    purge,
    api: ({ id, secret } = requireKey()) =>
      createOtaClient({ ...inside, accessKeyId: id, accessKeySecret: secret }),
    post: (grant, content) => {
      const bytes = Buffer.from(content);
      const file = { name: 'firmware.bin', size: bytes.length, bytes: [bytes] };
      return postObject(URL_INSIDE, formFields(grant), file, { send });
    },
  });
  return {
    close: memory.close,
    seed: async ({ accessKeyId, ...wanted }) =>
      seed({ ...wanted, accessKey: requireKey(accessKeyId) }),
  };
}
