import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Logger } from '../../src/lib/logger.ts';

/** The log lines of requests of one test, as JSON has them. */
export interface RequestLines {
  readonly logger: Logger;
  readonly lines: object[];
  /** Waits for the first line: it is written after the client has its response. */
  first(): Promise<object | undefined>;
}

/** Collects the log lines of requests, anew for each test of the suite. */
export function collectRequestLines(): RequestLines {
  const lines: object[] = [];
  const add = (details: object, text: string): void => {
    if ('dialect' in details) lines.push({ text, ...JSON.parse(JSON.stringify(details)) });
  };
  beforeEach(() => {
    lines.length = 0;
  });
  return {
    logger: { ...silentLogger, debug: add, info: add },
    lines,
    first: async () => {
      while (lines.length === 0) await setImmediate();
      return lines[0];
    },
  };
}
