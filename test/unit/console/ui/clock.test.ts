// The package is an ES module, which Jest cannot load.
jest.mock('@preact/signals', () => ({
  signal: (value: unknown) => ({
    value,
    peek() {
      return this.value;
    },
  }),
}));

const NOW = Date.UTC(2026, 10, 26, 9);

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
});

afterEach(() => {
  jest.useRealTimers();
});

it('shows the time of now between two ticks, so that nothing is stored in the future', async () => {
  // It starts a timer.
  const { gatewayClock } = await import('../../../../src/console/ui/lib/clock.ts');
  jest.setSystemTime(NOW + 900);
  expect(gatewayClock.now).toBe(NOW + 900);
  gatewayClock.read(new Headers({ 'x-gateway-time': String(NOW + 60_900) }));
  expect(gatewayClock.now).toBe(NOW + 60_900);
});
