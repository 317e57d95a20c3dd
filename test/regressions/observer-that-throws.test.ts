import { silentLogger } from '../../src/lib/logger.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// When an observer threw, the gateway answered a stored upload with 500.

it('logs an observer that throws, and fails neither the request nor the other observers', async () => {
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
