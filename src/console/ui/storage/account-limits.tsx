import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { AccountListShape } from '../../../operator/account-shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatBytes, formatNumber } from '../lib/format.ts';
import { keepFresh } from '../lib/live.ts';
import { language } from '../lib/preferences.ts';
import { createResource } from '../lib/resource.ts';
import { LimitUse } from '../parts/limit-use.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { t } from '../text/text.ts';

/** The limits of every account and of the bucket, with what is used of them. */
export function AccountLimits(): JSX.Element {
  const accounts = useMemo(
    () => createResource((signal) => callApi<AccountListShape>('accounts', { signal })),
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
  const found = accounts.value.value;
  const rows = [
    ...(found ? [{ id: texts.bucket, ...found.bucket }] : []),
    ...(found?.items ?? []),
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
