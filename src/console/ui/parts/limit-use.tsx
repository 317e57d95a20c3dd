import type { JSX } from 'preact';
import { t } from '../text/text.ts';

interface LimitUseProps {
  /** What is limited, for screen readers. */
  readonly name: string;
  readonly used: number;
  readonly limit: number | 'off';
  readonly format: (value: number) => string;
}

/** How much of a limit is used, as a text and as a bar. */
export function LimitUse({ format, limit, name, used }: LimitUseProps): JSX.Element {
  const texts = t.value.storage;
  if (limit === 'off') return <span class="number">{texts.noLimit(format(used))}</span>;
  const text = texts.of(format(used), format(limit));
  return (
    <span class="limit-use">
      <span class="number">{text}</span>
      <meter
        aria-label={name}
        aria-valuetext={text}
        min={0}
        max={limit}
        high={limit * 0.9}
        optimum={0}
        value={used}
      />
    </span>
  );
}
