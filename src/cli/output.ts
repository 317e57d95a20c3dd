import pino from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config/config.ts';
import type { Logger } from '../lib/logger.ts';

const WIDTH = 30;
const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** Makes a logger to standard output: readable text on a terminal, else JSON. */
export function createLogger(level: Config['logLevel']): Logger {
  const options = { level };
  return process.stdout.isTTY ? pino(options, pretty({ sync: true })) : pino(options);
}

/** @returns a count with its noun, in the singular or plural: `1 upload`, `2 uploads` */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

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

/** @param total - in bytes */
export function progressBar(output: ProgressOutput, label: string, total: number): ProgressBar {
  const steps = output.isTTY ? 100 : 10;
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
    const line = `${label} [${bar}] ${percent} %  ${formatSize(done)} of ${formatSize(total)}`;
    output.write(output.isTTY ? `\r${line}` : `${line}\n`);
  };
  return {
    update,
    end: () => {
      if (output.isTTY) output.write('\n');
    },
  };
}

function formatSize(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? String(amount) : amount.toFixed(1)} ${UNITS[power] ?? ''}`;
}
