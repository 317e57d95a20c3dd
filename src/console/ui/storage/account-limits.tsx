import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { AboutShape } from '../../../operator/shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatBytes, formatNumber } from '../lib/format.ts';
import { keepFresh } from '../lib/live.ts';
import { language } from '../lib/preferences.ts';
import { createResource } from '../lib/resource.ts';
import { overview } from '../overview.ts';
import { LimitUse } from '../parts/limit-use.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { t } from '../text/text.ts';

/** What is used of the limits of one account, or of the bucket. */
interface Use {
  readonly id: string;
  readonly limits: Pick<AboutShape['limits'], 'maxBytes' | 'maxUploads'>;
  readonly used: AboutShape['used'];
}

/** The limits of every account and of the bucket, with what is used of them. */
export function AccountLimits(): JSX.Element {
  const accounts = useMemo(
    () =>
      createResource((signal) => callApi<{ readonly items: readonly Use[] }>('accounts', { signal })),
    [],
  );
  useEffect(
    () =>
      keepFresh(['usage'], () => {
        inBackground(accounts.read());
      }),
    [],
  );
  const texts = t.value.storage;
  const error = accounts.error.value;
  const bucket = overview.value.value?.bucketLimits;
  const rows = [
    ...(bucket ? [{ id: texts.bucket, limits: bucket, used: bucket.used }] : []),
    ...(accounts.value.value?.items ?? []),
  ];
  return (
    <section class="card">
      <h2>{texts.limits}</h2>
      {error && <ErrorNotice error={error} />}
      <Table
        caption={texts.limits}
        items={rows}
        keyOf={({ id }) => id}
        columns={[
          { id: 'id', label: texts.account, isHeader: true, cell: ({ id }) => id },
          {
            ...{ id: 'uploads', label: texts.uploads, isNumeric: true },
            cell: ({ id, limits, used }) => (
              <LimitUse
                name={`${id}: ${texts.uploads}`}
                used={used.uploads}
                limit={limits.maxUploads}
                format={(value) => formatNumber(value, language.value)}
              />
            ),
          },
          {
            ...{ id: 'bytes', label: texts.bytes, isNumeric: true },
            cell: ({ id, limits, used }) => (
              <LimitUse
                name={`${id}: ${texts.bytes}`}
                used={used.bytes}
                limit={limits.maxBytes}
                format={(value) => formatBytes(value, language.value)}
              />
            ),
          },
        ]}
      />
    </section>
  );
}
