import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Page } from '../../../operator/shapes.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { Empty, ErrorNotice, Loading } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, Bytes, State } from '../parts/values.tsx';
import { t } from '../text/text.ts';

const SHOWN = 10;

/** The largest, or the oldest, files. */
export function Extremes({ order }: { readonly order: 'largest' | 'oldest' }): JSX.Element {
  const found = useMemo(() => {
    const path = `uploads?order=${order}&limit=${String(SHOWN)}`;
    return createResource((signal) => callApi<Page<UploadShape>>(path, { signal }));
  }, []);
  useEffect(
    () =>
      keepFresh(['usage'], () => {
        inBackground(found.read());
      }),
    [],
  );
  const texts = t.value.storage;
  const items = found.value.value?.items;
  const error = found.error.value;
  return (
    <section class="card">
      <h2>{texts[order]}</h2>
      {error && <ErrorNotice error={error} />}
      {items === undefined && !error && <Loading />}
      {items?.length === 0 && <Empty>{texts.nothing}</Empty>}
      {items && items.length > 0 && <FileTable caption={texts[order]} items={items} />}
    </section>
  );
}

interface FileTableProps {
  readonly caption: string;
  readonly items: readonly UploadShape[];
}

function FileTable({ caption, items }: FileTableProps): JSX.Element {
  const texts = t.value.storage;
  return (
    <Table
      caption={caption}
      items={items}
      keyOf={({ key }) => key}
      columns={[
        {
          ...{ id: 'key', label: texts.key, isHeader: true },
          cell: ({ key }) => (
            <a href={hrefOf('uploads', key)}>
              <bdi>{key}</bdi>
            </a>
          ),
        },
        {
          ...{ id: 'size', label: texts.size, isNumeric: true },
          cell: ({ size = 0 }) => <Bytes value={size} />,
        },
        { id: 'state', label: texts.state, cell: ({ state }) => <State state={state} /> },
        {
          ...{ id: 'stored', label: texts.stored },
          cell: ({ storedAt }) => storedAt !== undefined && <Ago iso={storedAt} />,
        },
      ]}
    />
  );
}
