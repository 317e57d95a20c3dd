import { createReading } from '../../../../src/console/ui/lib/reading.ts';

// The package is an ES module, which Jest cannot load.
jest.mock('@preact/signals', () => ({ signal: (value: unknown) => ({ value }) }));

interface Load {
  readonly signal: AbortSignal;
  readonly resolve: (value: string) => void;
  readonly reject: (problem: Error) => void;
}

const settled = (): Promise<void> => new Promise(setImmediate);

function startedReading() {
  const loads: Load[] = [];
  const found = createReading(
    (signal) =>
      new Promise<string>((resolve, reject) => {
        loads.push({ signal, resolve, reject });
      }),
    String,
  );
  return { loads, found };
}

describe('something that is read from the gateway', () => {
  it('lets a slow read end, and then reads once more for all calls since', async () => {
    const { loads, found } = startedReading();
    const reads = [found.read()];
    await settled();
    reads.push(found.read(), found.read());
    await settled();
    expect(loads).toHaveLength(1);
    expect(loads[0]?.signal.aborted).toBe(false);
    loads[0]?.resolve('first');
    await settled();
    expect(found.value.value).toBe('first');
    expect(loads).toHaveLength(2);
    loads[1]?.resolve('second');
    await Promise.all(reads);
    expect(found.value.value).toBe('second');
    expect(loads).toHaveLength(2);
  });

  it('keeps the last value beside an error, and drops the error with the next value', async () => {
    const { loads, found } = startedReading();
    for (const [index, end] of [
      (load?: Load) => load?.resolve('first'),
      (load?: Load) => load?.reject(new Error('gone')),
    ].entries()) {
      const reading = found.read();
      await settled();
      end(loads[index]);
      await reading;
    }
    expect(found.value.value).toBe('first');
    expect(found.error.value).toBe('Error: gone');
    const reading = found.read();
    await settled();
    loads[2]?.resolve('third');
    await reading;
    expect(found.value.value).toBe('third');
    expect(found.error.value).toBeUndefined();
  });

  it('does not show what it was reading when it was told to forget', async () => {
    const { loads, found } = startedReading();
    const reading = found.read();
    await settled();
    found.forget();
    expect(loads[0]?.signal.aborted).toBe(true);
    loads[0]?.resolve('of the last account');
    await reading;
    expect(found.value.value).toBeUndefined();
  });
});
