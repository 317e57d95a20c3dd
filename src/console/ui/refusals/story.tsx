import type { JSX } from 'preact';
import type { StoryShape } from '../../../operator/shapes.ts';
import { Notice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

const SHAPES = { met: '✓', notMet: '✗', info: '·' } as const;

/** What happened, and what to do. The gateway tells it in English. */
export function Story({ story }: { readonly story: StoryShape }): JSX.Element {
  const texts = t.value.refusals;
  return (
    <>
      <p lang="en">{story.headline}</p>
      <Notice kind="info">
        <h2>{texts.toPass}</h2>
        <p lang="en" class="to-pass">
          {story.toPass}
        </p>
      </Notice>
      <section class="card">
        <h2>{texts.story}</h2>
        <ul class="story" lang="en">
          {story.lines.map((line, index) => (
            <StoryLine key={index} line={line} />
          ))}
        </ul>
      </section>
    </>
  );
}

function StoryLine({
  line: { details = [], mark, text },
}: {
  readonly line: StoryShape['lines'][number];
}): JSX.Element {
  const word = t.value.refusals.marks[mark];
  return (
    <li class={`story-${mark}`}>
      <span class="story-mark" aria-hidden="true">
        {SHAPES[mark]}
      </span>
      <span>
        {word !== '' && <span class="off-screen">{word} </span>}
        <bdi>{text}</bdi>
        {details.length > 0 && <pre class="story-details">{details.join('\n')}</pre>}
      </span>
    </li>
  );
}
