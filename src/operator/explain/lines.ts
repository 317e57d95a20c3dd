import type { StoryShape } from '../shapes.ts';

/** A line of a story. */
export type Line = StoryShape['lines'][number];

/** @returns a line that is neither met nor not met */
export function info(text: string, details?: readonly string[]): Line {
  return { mark: 'info', text, ...(details && { details: [...details] }) };
}
