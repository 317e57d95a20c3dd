import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, wallClock } from '../clock.ts';
import type { GatewayOptions } from '../config.ts';
import type { Gateway, GatewayParts, Records } from '../gateway.ts';
import { createGateway, createMemoryRecords } from '../gateway.ts';
import { sequentialIds } from '../ids.ts';

/** Options of a gateway under test; whatever is absent is chosen for tests. */
export interface TestGatewayOptions extends Omit<GatewayOptions, 'dataDir'> {
  /** Parts to use instead of the kit's own. */
  readonly parts?: Omit<GatewayParts, 'clock'>;
  /** The clock to start with; one that stands at the time of the start when absent. */
  readonly clock?: ManualClock;
}

/** A whole gateway in a temporary folder, with a clock that is moved by hand. */
export interface TestGateway extends Gateway {
  readonly clock: ManualClock;
  /** The one account's access key. */
  readonly accessKey: { readonly id: string; readonly secret: string };
  /** The bucket's access key. */
  readonly bucketKey: { readonly id: string; readonly secret: string };
  /** What the gateway remembers. */
  readonly records: Records;
  /** Holds the bodies; removed when the gateway is closed. */
  readonly dataDir: string;
}

const ACCESS_KEY = { id: 'testid', secret: 'testsecret' };
const BUCKET_KEY = { id: 'bucketid', secret: 'bucketsecret' };

/** Starts a gateway for a test: no port, no schedule, ledger in memory, ids that count up, quotas off. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { clock = new ManualClock(wallClock.now()), parts, ...rest } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'ota-gateway-'));
  const records = parts?.records ?? createMemoryRecords();
  const gateway = await createGateway(
    {
      accessKeyId: ACCESS_KEY.id,
      accessKeySecret: ACCESS_KEY.secret,
      ossAccessKeyId: BUCKET_KEY.id,
      ossAccessKeySecret: BUCKET_KEY.secret,
      qps: 'off',
      host: '127.0.0.1',
      port: 0,
      ...rest,
      dataDir,
    },
    { ids: sequentialIds(), ...parts, clock, records },
  );
  const close = async (): Promise<void> => {
    await gateway.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    ...gateway,
    clock,
    accessKey: ACCESS_KEY,
    bucketKey: BUCKET_KEY,
    records,
    dataDir,
    close,
    [Symbol.asyncDispose]: close,
  };
}
