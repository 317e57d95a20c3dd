import type { JSX } from 'preact';
import { CopyButton } from '../parts/copy-button.tsx';
import { Ago, State, Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { timelineOf } from './upload.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';
import type { Step } from './upload.ts';

/** The steps of an upload with their times and requests. */
export function Timeline({ upload }: { readonly upload: UploadShape }): JSX.Element {
  return (
    <ol class="timeline">
      {timelineOf(upload).map((step) => (
        <TimelineStep key={`${step.state} ${String(step.isAhead)}`} step={step} />
      ))}
    </ol>
  );
}

function TimelineStep({ step }: { readonly step: Step }): JSX.Element {
  const { shell, uploads: texts } = t.value;
  const { at, isAhead = false, requestId, state } = step;
  return (
    <li class={isAhead ? 'ahead' : undefined}>
      <State state={state} />
      {at === undefined ? (
        <span class="muted">{texts.unknownTime}</span>
      ) : (
        <span>
          <Time iso={at} />{' '}
          <span class="muted">
            (<Ago iso={at} />)
          </span>
        </span>
      )}
      {isAhead && (
        <span class="muted">{state === 'purged' ? texts.unlessClaimed : texts.formUntil}</span>
      )}
      {requestId !== undefined && (
        <span class="request">
          <span class="muted">{texts.requestId}</span> <code>{requestId}</code>{' '}
          <CopyButton text={requestId} label={texts.requestOf(shell.states[state])} />
        </span>
      )}
    </li>
  );
}
