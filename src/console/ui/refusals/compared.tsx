import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { ComparedShape } from '../../../operator/refusal-shapes.ts';
import { t } from '../text/text.ts';
import { splitText } from './difference.ts';

/** What the client has signed beside what the gateway has read. */
export function Compared({ compared }: { readonly compared: ComparedShape }): JSX.Element {
  const texts = t.value.refusals;
  const { client, firstDifference, gateway } = compared;
  return (
    <section class="card">
      <h2>{texts.compare}</h2>
      <p>{sayDifference(compared)}</p>
      <div class="compared">
        {client !== undefined && (
          <Signed title={texts.signed} text={client} difference={firstDifference} />
        )}
        <Signed title={texts.read} text={gateway} difference={firstDifference} />
      </div>
    </section>
  );
}

function sayDifference({ client, firstDifference }: ComparedShape): string {
  const { differ, same, unknown } = t.value.refusals;
  if (client === undefined) return unknown;
  return firstDifference === undefined ? same : differ(firstDifference + 1);
}

function Signed({
  difference,
  text,
  title,
}: {
  readonly difference: number | undefined;
  readonly text: string;
  readonly title: string;
}): JSX.Element {
  const titleId = useId();
  return (
    <section aria-labelledby={titleId}>
      <h3 id={titleId}>{title}</h3>
      <pre class="signed" dir="ltr">
        {difference === undefined ? text : <Marked text={text} difference={difference} />}
      </pre>
    </section>
  );
}

function Marked({
  difference,
  text,
}: {
  readonly difference: number;
  readonly text: string;
}): JSX.Element {
  const texts = t.value.refusals;
  const { after, before, marked } = splitText(text, difference);
  return (
    <>
      {before}
      <mark>
        <span class="off-screen"> {texts.difference} </span>
        {marked === '' && <span class="end">{texts.end}</span>}
        {marked === '\n' ? '↵\n' : marked}
      </mark>
      {after}
    </>
  );
}
