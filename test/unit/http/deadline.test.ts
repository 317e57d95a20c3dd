import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withDeadline } from '../../../src/http/deadline.ts';

/** Runs until its signal aborts. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  });
}

/** Never aborted. */
const never = new AbortController().signal;

it('does not abort work that ends in time', async () => {
  await expect(withDeadline(10_000, never, () => Promise.resolve(1))).resolves.toBe(1);
});

it('aborts work at its deadline, also after garbage collections', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const ended = withDeadline(30, never, (whole) => withDeadline(10_000, whole, endless));
  const collecting = setInterval(collect, 1);
  await expect(ended).rejects.toThrow('given up');
  clearInterval(collecting);
});

it('aborts work when the outer signal aborts, also when it has aborted before', async () => {
  const outer = new AbortController();
  const ended = withDeadline(10_000, outer.signal, endless);
  outer.abort();
  await expect(ended).rejects.toThrow('given up');
  const late = withDeadline(10_000, outer.signal, (signal) => Promise.resolve(signal.aborted));
  await expect(late).resolves.toBe(true);
});
