import { report } from '../../long/reliability/dice.ts';
import { peakBytes, residentBytes } from '../../long/reliability/process-facts.ts';
import { patternBytes } from '../../support/bytes.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { startNodes } from '../support/nodes.ts';
import { storeEndpoint } from '../support/s3-store.ts';

const MIB = 1024 * 1024;

describe('a gateway whose store never answers', () => {
  // A known fault: it takes about 200 MiB. Make it a plain `it` when that is mended.
  it.failing('keeps within 150 MiB more than idle while 800 forms of 500 KB wait', async () => {
    const proxy = await startFaultyProxy(storeEndpoint());
    const nodes = await startNodes(1, { endpoint: proxy.url });
    try {
      const pid = nodes.running[0]?.pid ?? 0;
      const url = nodes.url(0);
      const grants = [];
      for (let count = 0; count < 800; count += 1) grants.push(await grantFrom(url));
      const idle = residentBytes(pid);
      proxy.choose = () => 'silence';
      const bytes = patternBytes(500_000);
      const statuses = await Promise.all(
        grants.map(async (grant) => (await post(grant, bytes)).status),
      );
      const grown = (peakBytes(pid) - idle) / MIB;
      const others = statuses.filter((status) => status !== 503);
      report('engines', `${grown.toFixed(0)} MiB; not 503: ${String(others)}`);
      expect(grown).toBeLessThan(150);
    } finally {
      await nodes.dispose();
      await proxy.close();
    }
  });
});
