import { listUploads } from '../../../src/cli/lists.ts';
import type { Operator } from '../../../src/cli/operator.ts';
import type { UploadFilter } from '../../../src/operator/filters.ts';
import type { Page } from '../../../src/operator/shapes.ts';
import type { UploadShape } from '../../../src/operator/upload-shapes.ts';

const A: UploadShape = { key: 'a', state: 'purged' };
const B: UploadShape = { key: 'b', state: 'purged' };

/** Lists from pages that a gateway returns one after another. */
async function listFrom(
  pages: readonly Page<UploadShape>[],
  filter: object,
): Promise<{ keys: string[]; asked: UploadFilter[]; printed: unknown }> {
  const asked: UploadFilter[] = [];
  const operator = {
    listUploads: (each: UploadFilter) => {
      const page = pages[asked.length];
      asked.push(each);
      return page === undefined
        ? Promise.reject(new Error('asked too often'))
        : Promise.resolve(page);
    },
  } satisfies Partial<Operator>;
  const list = await listUploads(operator as unknown as Operator, filter);
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  list.show({ json: true, color: 'never' });
  const printed: unknown = JSON.parse(String(write.mock.calls[0]?.[0]));
  write.mockRestore();
  return {
    keys: [...list.items.values()].map((item) => (item as UploadShape).key),
    asked,
    printed,
  };
}

it('asks on after a page that is not full, with what is left of the limit', async () => {
  const pages = [{ items: [A], next: '1k' }, { items: [], next: 'z' }, { items: [B] }];
  const { asked, keys, printed } = await listFrom(pages, { q: 'pump', order: 'newest', limit: 3 });
  expect(keys).toEqual(['a', 'b']);
  expect(asked).toEqual([
    { q: 'pump', order: 'newest', limit: 3 },
    { q: 'pump', order: 'newest', limit: 2, after: parseInt('1k', 36) },
    { q: 'pump', order: 'newest', limit: 2, after: parseInt('z', 36) },
  ]);
  expect(printed).toEqual({ items: [A, B] });
});

it('ends with a full page, and keeps where the next one begins', async () => {
  const pages = [
    { items: [A], next: '1k' },
    { items: [B], next: 'z' },
  ];
  const { asked, printed } = await listFrom(pages, { limit: 2 });
  expect(asked).toHaveLength(2);
  expect(printed).toEqual({ items: [A, B], next: 'z' });
});
