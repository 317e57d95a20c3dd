import { loadModule } from '../lib/load-module.ts';
import { once } from '../lib/once.ts';
import type * as KitModule from './start-test-gateway.ts';
import type { TestGateway, TestGatewayOptions } from './test-gateway.ts';

/**
 * Starts a gateway for a test: no port, no schedule, fixed access keys, a ledger in memory, a clock that stands still,
 * ids that count up, no quotas, and unsigned callbacks to loopback. Many can run at the same time, independently. Close
 * each one.
 * @throws ConfigError for wrong options
 */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  return loadKit()(options);
}

/** Loads the gateway at the first start, so that the import of the kit costs a file without such a test nothing. */
const loadKit = once(
  () =>
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    loadModule<typeof KitModule>(() => require('./start-test-gateway'), 'startTestGateway')
      .startTestGateway,
);
