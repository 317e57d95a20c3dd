import { createPages } from '../../../../src/console/ui/lib/pages.ts';

// The package is an ES module, which Jest cannot load.
jest.mock('@preact/signals', () => ({
  signal: (value: unknown) => ({
    value,
    peek() {
      return this.value;
    },
  }),
}));

interface Call {
  readonly query: string;
  readonly respond: (items: number, next?: string) => void;
}

let calls: Call[] = [];

function readPage(query: URLSearchParams): Promise<{ items: { id: number }[]; next?: string }> {
  return new Promise((resolve) => {
    calls.push({
      query: query.toString(),
      respond: (items, next) => {
        const found = Array.from({ length: items }, (_, id) => ({ id }));
        resolve({ items: found, ...(next !== undefined && { next }) });
      },
    });
  });
}

const settled = (): Promise<void> => new Promise(setImmediate);

describe('a list that is read page by page', () => {
  beforeEach(() => {
    calls = [];
  });

  async function startedList() {
    const list = createPages({ readPage, toError: String });
    const started = list.start(new URLSearchParams({ state: 'stored' }));
    calls[0]?.respond(100, 'b');
    await started;
    return list;
  }

  it('shows the next page also when it is asked for while the list is refreshed', async () => {
    const list = await startedList();
    const reads = [list.refresh(), list.more()];
    expect(calls[2]?.query).toBe('state=stored&limit=200');
    calls[1]?.respond(100, 'b');
    calls[2]?.respond(150);
    await Promise.all(reads);
    expect(list.items.value).toHaveLength(150);
    expect(list.hasMore.value).toBe(false);
  });

  it('lets a slow read end, and then reads once more for all changes since', async () => {
    const list = await startedList();
    const reads = [list.refresh(), list.refresh(), list.refresh()];
    expect(calls).toHaveLength(2);
    calls[1]?.respond(7);
    await settled();
    expect(list.items.value).toHaveLength(7);
    expect(calls).toHaveLength(3);
    calls[2]?.respond(8);
    await Promise.all(reads);
    expect(list.items.value).toHaveLength(8);
    expect(calls).toHaveLength(3);
  });

  it('reads more items than a page of the gateway may have in several pages', async () => {
    const list = await startedList();
    const queries: string[] = [];
    for (let shown = 200; shown <= 1100; shown += 100) {
      const reading = list.more();
      let last = calls.at(-1);
      queries.push(last?.query ?? '');
      last?.respond(Math.min(shown, 1000), 'c');
      await settled();
      if (shown > 1000) {
        last = calls.at(-1);
        queries.push(last?.query ?? '');
        last?.respond(shown - 1000, 'd');
      }
      await reading;
    }
    expect(queries.slice(-2)).toEqual([
      'state=stored&limit=1000',
      'state=stored&limit=100&after=c',
    ]);
    expect(list.items.value).toHaveLength(1100);
  });
});
