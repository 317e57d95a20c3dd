import type { JSX } from 'preact';
import type { UsageReportShape } from '../../../operator/usage-shapes.ts';
import { formatBytes, formatTime } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { Empty } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { Bytes, Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { layOutChart } from './chart-geometry.ts';

/** How much there was at one time. */
type Sample = Pick<UsageReportShape['samples'][number], 'at' | 'bytes' | 'uploads'>;

/** The states that hold bytes, in the order in which they are stacked. */
const SERIES = ['claimed', 'stored', 'purging'] as const;
const SIZE = { width: 1000, height: 240 };

/** The used bytes over time, until now, as a chart and as a table. */
export function UsageChart({ report }: { readonly report: UsageReportShape }): JSX.Element {
  const texts = t.value.storage;
  const samples: readonly Sample[] = [...report.samples, report];
  const first = samples[0];
  const last = samples.at(-1);
  return (
    <section class="card">
      <h2>{texts.chart}</h2>
      {first === undefined || last === undefined || samples.length < 2 ? (
        <Empty>{texts.noSamples}</Empty>
      ) : (
        <>
          <Legend />
          <Drawing samples={samples} from={first.at} to={last.at} />
          <details>
            <summary>{texts.asTable}</summary>
            <Table
              caption={texts.chart}
              columns={columnsOfSamples()}
              items={samples.toReversed()}
              keyOf={({ at }) => at}
            />
          </details>
        </>
      )}
    </section>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="legend">
      {SERIES.map((state) => (
        <li key={state} class={`series-${state}`}>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect width="10" height="10" class="area" />
          </svg>
          {t.value.shell.states[state]}
        </li>
      ))}
    </ul>
  );
}

interface DrawingProps {
  readonly samples: readonly Sample[];
  readonly from: string;
  readonly to: string;
}

function Drawing({ from, samples, to }: DrawingProps): JSX.Element {
  const points = samples.map(({ at, uploads }) => ({
    at: Date.parse(at),
    values: SERIES.map((state) => uploads[state].bytes),
  }));
  const { areas, top } = layOutChart(points, SIZE);
  const [start, end] = [from, to].map((time) => formatTime(time, language.value));
  return (
    <figure class="chart">
      <span class="chart-top number">{formatBytes(top, language.value)}</span>
      <svg
        role="img"
        aria-label={t.value.storage.chartText(start ?? '', end ?? '')}
        viewBox={`0 0 ${String(SIZE.width)} ${String(SIZE.height)}`}
        preserveAspectRatio="none"
      >
        {areas.map((path, index) => (
          <path key={SERIES[index]} class={`area series-${SERIES[index] ?? ''}`} d={path} />
        ))}
      </svg>
      <figcaption class="chart-times number">
        <span>{start}</span>
        <span>{end}</span>
      </figcaption>
    </figure>
  );
}

function columnsOfSamples(): Column<Sample>[] {
  const texts = t.value.storage;
  return [
    { id: 'at', label: texts.time, isHeader: true, cell: ({ at }) => <Time iso={at} /> },
    ...SERIES.map((state) => ({
      ...{ id: state, label: t.value.shell.states[state], isNumeric: true },
      cell: ({ uploads }: Sample) => <Bytes value={uploads[state].bytes} />,
    })),
    { id: 'sum', label: texts.total, isNumeric: true, cell: ({ bytes }) => <Bytes value={bytes} /> },
  ];
}
