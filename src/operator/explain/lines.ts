import type { StoryShape } from '../shapes.ts';

/** A line of a story. */
export type Line = StoryShape['lines'][number];

/** Lines, and what a page shows beside them. */
export interface Told extends Pick<StoryShape, 'compare' | 'clocks'> {
  readonly lines: Line[];
}

/** @returns a line that is neither met nor not met */
export function info(text: string, details?: readonly string[]): Line {
  return { mark: 'info', text, ...(details && { details: [...details] }) };
}

/** Ids are no secrets, but whole ones are not needed to recognize them. */
export function masked(id: string): string {
  return id.length > 8 ? `...${id.slice(-4)}` : id;
}
