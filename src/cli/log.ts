import pino from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';

/** Structured logs on standard output; easy to read when that is a terminal. */
export function createLogger(level: Config['logLevel']): Logger {
  const options = { level };
  return process.stdout.isTTY ? pino(options, pretty({ sync: true })) : pino(options);
}
