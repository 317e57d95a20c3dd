import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { hrefOf } from '../lib/route.ts';
import { t } from '../text/text.ts';
import { failuresOf } from './jobs.ts';
import type { Job, Outcome } from './jobs.ts';

interface OutcomesProps {
  readonly job: Job;
  readonly onClose: () => void;
}

/** What became of each upload, because a row may have left the list. Gets the focus, which was in a dialog. */
export function Outcomes({ job, onClose }: OutcomesProps): JSX.Element {
  const { shell, uploads } = t.value;
  const texts = uploads.outcomes;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const { outcomes, total } = job;
  const done = outcomes.length;
  const failures = failuresOf(job);
  return (
    <section class="card" aria-label={texts[job.kind]}>
      <div class="row">
        <h2 ref={heading} tabIndex={-1}>
          {texts[job.kind]}
        </h2>
        <p role={failures > 0 && done === total ? 'alert' : undefined}>
          {done < total ? texts.progress(done, total) : texts.summary(done - failures, failures)}
        </p>
        {done === total && (
          <button type="button" class="row-end" onClick={onClose}>
            {shell.close}
          </button>
        )}
      </div>
      {done < total && <progress max={total} value={done} aria-label={texts[job.kind]} />}
      <ul class="outcomes">
        {outcomes.map((outcome) => (
          <OutcomeItem key={outcome.key} outcome={outcome} />
        ))}
      </ul>
    </section>
  );
}

function OutcomeItem({
  outcome: { error, key, package: made },
}: {
  readonly outcome: Outcome;
}): JSX.Element {
  const { shell, uploads } = t.value;
  const isUnreachable = error?.status === 0 && error.code === 'Unreachable';
  return (
    <li>
      <span class={error ? 'failed' : 'succeeded'}>
        <span aria-hidden="true">{error ? '✕' : '✓'}</span>{' '}
        {error ? uploads.outcomes.failed : uploads.outcomes.done}
      </span>
      <a class="key" href={hrefOf('uploads', key)}>
        <bdi>{key}</bdi>
      </a>
      {made && (
        <a href={hrefOf('packages', made.firmwareId)}>
          <bdi>{made.name}</bdi> <bdi>{made.version}</bdi>
        </a>
      )}
      {error && (
        <span class="why">
          {isUnreachable
            ? shell.unreachable
            : [error.message, error.hint].filter(Boolean).join('; ')}
        </span>
      )}
    </li>
  );
}
