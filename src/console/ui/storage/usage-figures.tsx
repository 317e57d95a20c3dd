import type { ComponentChildren, JSX } from 'preact';
import type { UsageReportShape } from '../../../operator/usage-shapes.ts';
import { gatewayClock } from '../lib/clock.ts';
import { formatAgo, formatBytes, formatCountdown, formatNumber } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { Bytes } from '../parts/values.tsx';
import { t } from '../text/text.ts';

/** The figures of now. */
export function UsageFigures({ report }: { readonly report: UsageReportShape }): JSX.Element {
  const texts = t.value.storage;
  const { bytes, disk, purge, refusals, uploads } = report;
  const files = uploads.stored.count + uploads.claimed.count + uploads.purging.count;
  return (
    <dl class="figures">
      <Figure name={texts.used} note={texts.files(formatNumber(files, language.value))}>
        <Bytes value={bytes} />
      </Figure>
      <Figure
        name={texts.free}
        note={texts.reserve(formatBytes(disk.reserve, language.value))}
      >
        {disk.free === undefined ? texts.unknown : <Bytes value={disk.free} />}
      </Figure>
      <Figure name={texts.nextPurge} note={describeLastRun(purge)}>
        {purge.nextAt === undefined
          ? texts.noPurge
          : formatCountdown(Date.parse(purge.nextAt) - gatewayClock.now)}
      </Figure>
      <Figure name={texts.refusals} note={texts.inPeriod}>
        {formatNumber(refusals, language.value)}
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly note: string | undefined;
  readonly children: ComponentChildren;
}

function Figure({ children, name, note }: FigureProps): JSX.Element {
  return (
    <div class="card figure">
      <dt class="muted">{name}</dt>
      <dd class="figure-value number">{children}</dd>
      {note !== undefined && <dd class="muted">{note}</dd>}
    </div>
  );
}

function describeLastRun({ lastAt, outcome }: UsageReportShape['purge']): string | undefined {
  if (lastAt === undefined) return undefined;
  const { lastFailed, lastPurge } = t.value.storage;
  const time = formatAgo(gatewayClock.now - Date.parse(lastAt), language.value);
  return outcome === 'failed' ? lastFailed(time) : lastPurge(time);
}
