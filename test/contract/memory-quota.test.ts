import { createQuota } from '../../src/iot/quota.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { describeQuota } from './quota-contract.ts';

describeQuota('a quota in memory', async () => {
  const clock = new ManualClock();
  const quota = createQuota(clock);
  return Promise.resolve({
    ...{ quota, another: quota },
    pass: (milliseconds) => {
      clock.advance({ milliseconds });
      return Promise.resolve();
    },
    dispose: () => Promise.resolve(),
  });
});
