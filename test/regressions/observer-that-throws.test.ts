import { silentLogger } from '../../src/lib/logger.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// An observer that threw turned an upload that was stored into a 500.

it('fails neither the request nor the observers behind it, and is logged', async () => {
  const failing = jest.fn(() => {
    throw new Error('the observer is broken');
  });
  const seen = jest.fn();
  const error = jest.fn();
  await using gateway = await startTestGateway({
    parts: {
      logger: { ...silentLogger, error },
      observers: [
        { stored: failing, claimed: failing, purged: failing },
        { stored: seen, claimed: seen, purged: seen },
      ],
    },
  });
  await gateway.seed({ state: 'purging' });
  await gateway.purgeUnclaimed();
  expect(failing).toHaveBeenCalledTimes(3);
  expect(seen).toHaveBeenCalledTimes(3);
  expect(error.mock.calls.map(([details]) => details.event)).toEqual([
    'stored',
    'claimed',
    'purged',
  ]);
});
