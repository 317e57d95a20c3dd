import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { UsageReportShape } from '../../../operator/usage-shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { route, setQuery } from '../lib/route.ts';
import { Choice } from '../parts/choice.tsx';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';
import { AccountLimits } from './account-limits.tsx';
import { Extremes } from './extremes.tsx';
import { PurgeNow } from './purge-now.tsx';
import { Purges } from './purges.tsx';
import { UsageChart } from './usage-chart.tsx';
import { UsageFigures } from './usage-figures.tsx';
import './storage.css';

const PERIODS = ['24h', '7d', '90d'] as const;

/** How much is stored, now and over time, and what is purged. */
export function Storage(): JSX.Element {
  const given = route.value.query.get('last');
  const last = PERIODS.find((period) => period === given) ?? '24h';
  const usage = useMemo(
    () =>
      createResource((signal) => callApi<UsageReportShape>(`usage?last=${last}`, { signal })),
    [last],
  );
  const read = (): void => {
    inBackground(usage.read());
  };
  useEffect(() => keepFresh(['usage'], read), [last]);
  const report = usage.value.value;
  const error = usage.error.value;
  return (
    <Screen
      title={t.value.shell.screens.storage}
      actions={
        <div class="row row-bottom">
          <PeriodChoice last={last} />
          <PurgeNow onPurged={read} />
        </div>
      }
    >
      {error && <ErrorNotice error={error} retry={read} />}
      {report === undefined && !error && <Loading />}
      {report && (
        <>
          <UsageFigures report={report} />
          <UsageChart report={report} />
          <Purges report={report} />
        </>
      )}
      <AccountLimits />
      <div class="extremes">
        <Extremes order="largest" />
        <Extremes order="oldest" />
      </div>
    </Screen>
  );
}

function PeriodChoice({ last }: { readonly last: (typeof PERIODS)[number] }): JSX.Element {
  const texts = t.value.storage;
  return (
    <Choice
      label={texts.period}
      name="last"
      value={last}
      options={PERIODS.map((period) => [period, texts.periods[period]] as const)}
      onChoice={(period) => {
        setQuery({ last: period });
      }}
    />
  );
}
