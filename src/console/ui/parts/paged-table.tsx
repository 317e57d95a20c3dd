import type { JSX } from 'preact';
import { inBackground } from '../lib/background.ts';
import type { PagedList } from '../lib/paged-list.ts';
import { t } from '../text/text.ts';
import { ErrorNotice, Loading } from './notice.tsx';
import { Table } from './table.tsx';
import type { TableProps } from './table.tsx';

interface PagedTableProps<T> extends Omit<TableProps<T>, 'items'> {
  readonly list: PagedList<T>;
  /** Stands for a list without items. */
  readonly empty: JSX.Element;
}

/** A list as a table, with what stands for it while it is read, when that fails, and when it is empty. */
export function PagedTable<T>({ empty, list, ...table }: PagedTableProps<T>): JSX.Element {
  const { error, hasMore, items } = list;
  const shown = items.value;
  return (
    <>
      {error.value && (
        <ErrorNotice
          error={error.value}
          retry={() => {
            inBackground(list.refresh());
          }}
        />
      )}
      {shown === undefined && !error.value && <Loading />}
      {shown?.length === 0 && empty}
      {shown && shown.length > 0 && <Table {...table} items={shown} />}
      {hasMore.value && (
        <div class="row">
          <button
            type="button"
            onClick={() => {
              inBackground(list.more());
            }}
          >
            {t.value.shell.more}
          </button>
        </div>
      )}
    </>
  );
}
