import { getEventListeners } from 'node:events';
import { pauseUnless } from '../../../src/cli/watch.ts';

it('leaves no listener at the signal after a pause, so that a long watch gives no warning', async () => {
  const { signal } = new AbortController();
  await pauseUnless(signal, 0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('ends a pause when the signal is aborted', async () => {
  const controller = new AbortController();
  const pause = pauseUnless(controller.signal, 60_000);
  controller.abort();
  await pause;
  await expect(pauseUnless(controller.signal, 60_000)).resolves.toBeUndefined();
});
