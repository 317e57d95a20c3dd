import type { JSX } from 'preact';
import { gatewayClock } from '../lib/clock.ts';
import { formatCountdown } from '../lib/format.ts';
import { t } from '../text/text.ts';
import { remainingOf } from './upload.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** When an upload is purged, that it is kept, or why it was purged. */
export function PurgedIn({ upload }: { readonly upload: UploadShape }): JSX.Element {
  const { shell, uploads: texts } = t.value;
  if (upload.state === 'stored') return <Countdown upload={upload} />;
  if (upload.state === 'claimed') return <span>{texts.kept}</span>;
  const { purgeReason } = upload;
  return <span class="muted">{purgeReason ? shell.purgeReasons[purgeReason] : shell.none}</span>;
}

function Countdown({ upload }: { readonly upload: UploadShape }): JSX.Element {
  const { shell, uploads: texts } = t.value;
  const remaining = remainingOf(upload, gatewayClock.now);
  if (remaining === undefined) return <span class="muted">{shell.none}</span>;
  const { left, share, urgency } = remaining;
  if (urgency === 'due') return <Urgent>{texts.due}</Urgent>;
  const time = formatCountdown(left);
  return (
    <span class="countdown">
      {urgency === 'soon' ? (
        <Urgent>{`${time} ${texts.soon}`}</Urgent>
      ) : (
        <span class="number">{time}</span>
      )}
      {/* The text says the same. */}
      <progress aria-hidden="true" value={share} />
    </span>
  );
}

function Urgent({ children }: { readonly children: string }): JSX.Element {
  return (
    <span class="urgent number">
      <span aria-hidden="true">▲</span> {children}
    </span>
  );
}
