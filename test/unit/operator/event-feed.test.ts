import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { EventFeed } from '../../../src/operator/event-feed.ts';
import type { FeedDependencies } from '../../../src/operator/event-feed.ts';
import { EventHub } from '../../../src/operator/events.ts';
import type { UsageShape } from '../../../src/operator/usage-shapes.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const GRANT = { key: 'ota/a.bin', accountId: 'ann', issuedAt: 0, policyExpiresAt: 60_000 };

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => jest.useRealTimers());

it('tells operators of the usage after a change, and no account', async () => {
  const hub = new EventHub(new ManualClock(0));
  const usage = jest.fn(() => Promise.resolve({} as UsageShape));
  const uploads = () => ({
    ledger: createMemoryRecords().ledger,
    logger: silentLogger,
    rules: { claimTtl: 1 } as ReturnType<FeedDependencies['uploads']>['rules'],
  });
  const feed = new EventFeed({ hub, uploads, usage });
  const watch = (accountId: string, isOperator: boolean): string[] => {
    const types: string[] = [];
    const onEvent = ({ type }: { type: string }) => types.push(type);
    hub.listen({ viewer: { accountId, isOperator }, onEvent, onEnd: () => undefined });
    return types;
  };
  feed.observer.issued?.(GRANT);
  expect(jest.getTimerCount()).toBe(0);
  const [operator, ann, bob] = [watch('ops', true), watch('ann', false), watch('bob', false)];
  feed.observer.issued?.(GRANT);
  feed.observer.issued?.(GRANT);
  await jest.advanceTimersByTimeAsync(5000);
  expect(operator).toEqual(['upload', 'upload', 'usage']);
  expect([ann, bob]).toEqual([['upload', 'upload'], []]);
  expect(usage).toHaveBeenCalledTimes(1);
});
