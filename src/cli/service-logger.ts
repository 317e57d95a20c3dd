import pino from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config/config.ts';
import type { Logger } from '../lib/logger.ts';

/** Makes a logger to standard output: readable text on a terminal, else JSON. */
export function createLogger(level: Config['logLevel']): Logger {
  const options = {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return process.stdout.isTTY ? pino(options, pretty({ sync: true })) : pino(options);
}
