import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Page, RefusalShape } from '../../../operator/shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { viewHref } from '../refusals/view.ts';
import { t } from '../text/text.ts';

/** How many refusals are shown; the screen of refusals has all. */
const SHOWN = 20;

/** The newest refused requests that named a key. */
export function UploadRefusals({ uploadKey }: { readonly uploadKey: string }): JSX.Element {
  const texts = t.value.uploads;
  const { error, read, value } = useMemo(
    () =>
      createResource((signal) => {
        const query = new URLSearchParams({ key: uploadKey, limit: String(SHOWN) });
        return callApi<Page<RefusalShape>>(`refusals?${query.toString()}`, { signal });
      }),
    [uploadKey],
  );
  useEffect(
    () =>
      keepFresh(['refusal'], () => {
        inBackground(read());
      }),
    [read],
  );
  const found = value.value;
  return (
    <section class="part" aria-labelledby="refusals">
      <h2 id="refusals">{texts.refusals}</h2>
      {error.value && <ErrorNotice error={error.value} />}
      {found === undefined && !error.value && <Loading />}
      {found?.items.length === 0 && <p class="muted">{texts.noRefusals}</p>}
      {found && found.items.length > 0 && (
        <>
          <Table
            caption={texts.refusals}
            columns={createColumns()}
            items={found.items}
            keyOf={({ requestId }) => requestId}
          />
          <p>
            <a href={viewHref({ view: 'each', key: uploadKey })}>{texts.allRefusals}</a>
          </p>
        </>
      )}
    </section>
  );
}

function createColumns(): readonly Column<RefusalShape>[] {
  const { shell, uploads } = t.value;
  const labels = uploads.refusalColumns;
  return [
    {
      id: 'at',
      label: labels.at,
      isHeader: true,
      cell: ({ at, requestId }) => (
        <a class="nowrap" href={hrefOf('refusals', requestId)}>
          <Time iso={at} />
        </a>
      ),
    },
    { id: 'code', label: labels.code, cell: ({ code }) => code },
    { id: 'message', label: labels.message, cell: ({ message }) => <bdi>{message}</bdi> },
    { id: 'from', label: labels.from, cell: ({ peer }) => peer ?? shell.none },
  ];
}
