import pino from 'pino';
import type { DestinationStream } from 'pino';
import type { Config } from '../config/config.ts';
import type { Logger } from '../lib/logger.ts';
import { wallClock } from '../lib/clock.ts';
import { toUtc } from '../lib/dates.ts';
import { setTimeout } from '../lib/timers.ts';
import { createReadableFormat } from './readable-log.ts';

/** Makes a logger to standard output: readable text on a terminal, else JSON, which names process and machine. */
export function createLogger({ ledgerUrl, logLevel }: Config): Logger {
  const options = {
    level: logLevel,
    timestamp: () => `,"time":"${toUtc(wallClock.now())}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(
    options,
    process.stdout.isTTY ? readableOutput(ledgerUrl !== undefined) : gatheredOutput(),
  );
}

/** A terminal that has been closed cannot be written; the service still stops as it should. */
function readableOutput(isOneOfSeveral: boolean): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true });
  output.on('error', () => undefined);
  // It knows NO_COLOR, FORCE_COLOR and TERM.
  const format = createReadableFormat({ colorize: process.stdout.hasColors(), isOneOfSeveral });
  return { write: (line) => output.write(format(line)) };
}

/** Limits of the lines that wait to be written, in characters: a write begins, and a line is dropped. */
const GATHERED = { minLength: 15 * 1024, maxLength: 1024 * 1024 };
/** How long a line waits for others, in milliseconds. */
const GATHERING_MS = 20;

/**
 * Writes lines together, because a write costs more than making a line. What cannot be written, such as to a full disk, is
 * tried again with the next lines. A process that is killed, or aborts, loses its last lines, those of `GATHERING_MS`.
 */
function gatheredOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, ...GATHERED });
  // The service goes on without its log. Without a listener, the process would end.
  output.on('error', () => undefined);
  let isWaiting = false;
  process.once('exit', () => {
    output.flush();
  });
  return {
    write: (line) => {
      output.write(line);
      if (isWaiting) return;
      isWaiting = true;
      setTimeout(() => {
        isWaiting = false;
        output.flush();
      }, GATHERING_MS).unref();
    },
  };
}
