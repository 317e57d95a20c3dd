import { report } from '../../long/reliability/dice.ts';
import { peakBytes, residentBytes } from '../../long/reliability/process-facts.ts';
import { patternBytes } from '../../support/bytes.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { startNodes } from '../support/nodes.ts';
import { storeEndpoint } from '../support/s3-store.ts';

const MIB = 1024 * 1024;
const FORMS = 800;

describe('a gateway whose store never answers', () => {
  // Measured: 78 to 98 MiB, of which 45 to 50 are what Node has read of the connections.
  it('keeps within 150 MiB more than idle while 800 forms of 500 KB wait, and answers each with 503', async () => {
    const proxy = await startFaultyProxy(storeEndpoint());
    const nodes = await startNodes(1, { endpoint: proxy.url });
    try {
      const pid = nodes.running[0]?.pid ?? 0;
      const url = nodes.url(0);
      const grants = [];
      for (let count = 0; count < FORMS; count += 1) grants.push(await grantFrom(url));
      const idle = residentBytes(pid);
      proxy.choose = () => 'silence';
      const bytes = patternBytes(500_000);
      const statuses = await Promise.all(
        grants.map(async (grant) => (await post(grant, bytes)).status),
      );
      const grown = (peakBytes(pid) - idle) / MIB;
      report('engines', `${String(FORMS)} forms that wait take ${grown.toFixed(0)} MiB`);
      expect(new Set(statuses)).toEqual(new Set([503]));
      expect(grown).toBeLessThan(150);
    } finally {
      await nodes.dispose();
      await proxy.close();
    }
  }, 120_000);
});
