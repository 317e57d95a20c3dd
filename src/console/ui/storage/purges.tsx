import type { JSX } from 'preact';
import type { UsageReportShape } from '../../../operator/usage-shapes.ts';
import { formatNumber } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { Table } from '../parts/table.tsx';
import { Bytes } from '../parts/values.tsx';
import { t } from '../text/text.ts';

const REASONS = ['unclaimed', 'replaced', 'deleted', 'retired'] as const;

/** What was purged, and why. */
export function Purges({ report }: { readonly report: UsageReportShape }): JSX.Element {
  const texts = t.value.storage;
  return (
    <section class="card">
      <h2>{texts.purges}</h2>
      <Table
        caption={texts.purges}
        items={REASONS}
        keyOf={(reason) => reason}
        columns={[
          {
            ...{ id: 'reason', label: texts.reason, isHeader: true },
            cell: (reason) => t.value.shell.purgeReasons[reason],
          },
          {
            ...{ id: 'count', label: texts.count, isNumeric: true },
            cell: (reason) => formatNumber(report.purges[reason].count, language.value),
          },
          {
            ...{ id: 'bytes', label: texts.bytes, isNumeric: true },
            cell: (reason) => <Bytes value={report.purges[reason].bytes} />,
          },
        ]}
      />
    </section>
  );
}
