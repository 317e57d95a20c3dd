import { signal } from '@preact/signals';

/** What a screen reader says next: what happened. */
export const announcement = signal('');

const SILENCE_MS = 2000;
let waiting: string | undefined;
let timer: number | undefined;

/** Says what happened, at most one text in two seconds: of several the last one. */
export function announce(text: string): void {
  waiting = text;
  if (timer !== undefined) return;
  say();
}

/** Takes back what was said. */
export function silence(): void {
  waiting = undefined;
  announcement.value = '';
}

function say(): void {
  if (waiting === undefined) {
    timer = undefined;
    return;
  }
  announcement.value = waiting;
  waiting = undefined;
  timer = window.setTimeout(say, SILENCE_MS);
}
