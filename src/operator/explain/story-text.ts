import { visible } from '../../lib/quoted.ts';
import { formatSpan } from '../../lib/time-span.ts';
import type { ExplainedShape, StoryShape } from '../shapes.ts';

/** Colors a text for a terminal. */
type Paint = (style: 'bold' | 'red' | 'reset', text: string) => string;

const MARKS = { met: 'met      ', notMet: 'NOT MET  ', info: '' } as const;

const plain: Paint = (_style, text) => text;

/**
 * Lays out the story of a refused request: the command and the page give the same text.
 * @param now - the time that its age is measured at, in Unix milliseconds
 */
export function formatExplained(
  { refusal, story }: ExplainedShape,
  now: number,
  paint: Paint = plain,
): string {
  return formatStory(story, `, ${formatSpan(now - Date.parse(refusal.at))} ago`, paint);
}

/** Lays out a story. @param when - follows the headline */
export function formatStory(story: StoryShape, when: string, paint: Paint = plain): string {
  const lines = story.lines.flatMap(({ details = [], mark, text }) => [
    `  ${paint(mark === 'notMet' ? 'red' : 'reset', MARKS[mark] + visible(text))}`,
    ...details.map((detail) => `           ${visible(detail)}`),
  ]);
  return [
    paint('bold', `${visible(story.headline)}${when}`),
    ...lines,
    `To pass: ${story.toPass}.`,
    '',
  ].join('\n');
}
