import type { Clock } from '../lib/clock.ts';
import { monotonicClock } from '../lib/clock.ts';
import { formatSpan } from '../lib/time-span.ts';
import { formatSize } from './people.ts';

const WIDTH = 30;

/** Shows progress: a moving bar on a terminal, elsewhere a line for every tenth. */
export interface ProgressBar {
  update: (done: number) => void;
  end: () => void;
}

/** Where a bar is written, e.g. `process.stderr`. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * @param total - in bytes
 * @param clock - measures the rate and the time that is left
 */
export function progressBar(
  output: ProgressOutput,
  label: string,
  total: number,
  clock: Clock = monotonicClock,
): ProgressBar {
  const steps = output.isTTY ? 100 : 10;
  const startedAt = clock.now();
  let shown = -1;
  const update = (done: number): void => {
    // `done` may exceed `total`: a file may grow, or new uploads may arrive.
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const step = Math.floor(share * steps);
    if (step === shown) return;
    shown = step;
    const filled = Math.round(share * WIDTH);
    const bar = '#'.repeat(filled) + '.'.repeat(WIDTH - filled);
    const percent = String(Math.floor(share * 100)).padStart(3);
    const pace = describePace(done, total, clock.now() - startedAt);
    const line = `${label} [${bar}] ${percent} %  ${formatSize(done)} of ${formatSize(total)}${pace}`;
    // The end of the line before may be longer.
    output.write(output.isTTY ? `\r${line}\u001b[K` : `${line}\n`);
  };
  return {
    update,
    end: () => {
      if (output.isTTY) output.write('\n');
    },
  };
}

/**
 * Shows the progress of some work on standard error.
 * @param isQuiet - shows nothing
 * @param work - is given what receives how many bytes are done, and how many there are
 */
export async function withProgress<T>(
  label: string,
  isQuiet: boolean,
  work: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let bar: ProgressBar | undefined;
  try {
    return await work((done, total) => {
      if (isQuiet) return;
      bar ??= progressBar(process.stderr, label, total);
      bar.update(done);
    });
  } finally {
    bar?.end();
  }
}

/** Before this time a rate means nothing. */
const FIRST_RATE_MS = 500;

function describePace(done: number, total: number, elapsed: number): string {
  if (elapsed < FIRST_RATE_MS || done <= 0) return '';
  const rate = done / elapsed;
  const left = done >= total ? '' : `, ${formatSpan((total - done) / rate)} left`;
  return `  ${formatSize(Math.round(rate * 1000))}/s${left}`;
}
