import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withDeadline } from '../../../src/http/deadline.ts';

/** Goes on until it is told to give up. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  });
}

/** Never aborted. */
const never = new AbortController().signal;

it('lets work that is done in time be', async () => {
  await expect(withDeadline(10_000, never, () => Promise.resolve(1))).resolves.toBe(1);
});

it('ends work at its deadline, however often garbage is collected before', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const ended = withDeadline(30, never, (whole) => withDeadline(10_000, whole, endless));
  const collecting = setInterval(collect, 1);
  await expect(ended).rejects.toThrow('given up');
  clearInterval(collecting);
});

it('ends work when the outer signal says so, also when it has said so before', async () => {
  const outer = new AbortController();
  const ended = withDeadline(10_000, outer.signal, endless);
  outer.abort();
  await expect(ended).rejects.toThrow('given up');
  const late = withDeadline(10_000, outer.signal, (signal) => Promise.resolve(signal.aborted));
  await expect(late).resolves.toBe(true);
});
