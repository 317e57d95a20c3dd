import type { JSX } from 'preact';
import type { ClocksShape } from '../../../operator/refusal-shapes.ts';
import { formatDuration } from '../lib/format.ts';
import { Facts } from '../parts/facts.tsx';
import { Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';

/** The time that the client has sent beside that of the gateway. */
export function Clocks({
  clocks: { client, difference, gateway },
}: {
  readonly clocks: ClocksShape;
}): JSX.Element {
  const texts = t.value.refusals;
  const isRead = difference !== undefined;
  return (
    <section class="card">
      <h2>{texts.clocks}</h2>
      <Facts
        facts={[
          [texts.client, isRead ? <Time key="c" iso={client} /> : <bdi key="c">{client}</bdi>],
          [texts.gateway, <Time key="g" iso={gateway} />],
          [texts.apart, isRead ? sayDifference(difference) : undefined],
        ]}
      />
    </section>
  );
}

function sayDifference(difference: number): string {
  const { ahead, behind } = t.value.refusals;
  const span = formatDuration(Math.abs(difference));
  return difference > 0 ? ahead(span) : behind(span);
}
