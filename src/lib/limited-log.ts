import type { Logger } from './logger.ts';
import { clearTimeout, setTimeout } from './timers.ts';

const DEFAULT_LIMIT = { lines: 10, milliseconds: 1000 };

/**
 * Logs what any stranger can cause, such as bytes that are not HTTP: at most a number of lines for each span of time,
 * so that thousands of bad connections do not fill the disk. The span ends with a line that counts what was left out.
 */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #subject: string;
  readonly #limit: typeof DEFAULT_LIMIT;
  #lines = 0;
  #span: NodeJS.Timeout | undefined;

  /** @param subject - what the lines are about, for the line that counts those left out */
  constructor(logger: Logger, subject: string, limit = DEFAULT_LIMIT) {
    this.#logger = logger;
    this.#subject = subject;
    this.#limit = limit;
  }

  info(details: object, message: string): void {
    if (this.#hasRoom()) this.#logger.info(details, message);
  }

  warn(details: object, message: string): void {
    if (this.#hasRoom()) this.#logger.warn(details, message);
  }

  #hasRoom(): boolean {
    this.#lines += 1;
    this.#span ??= setTimeout(() => {
      this.close();
    }, this.#limit.milliseconds).unref();
    return this.#lines <= this.#limit.lines;
  }

  /** Ends the current span. */
  close(): void {
    clearTimeout(this.#span);
    const leftOut = this.#lines - this.#limit.lines;
    this.#span = undefined;
    this.#lines = 0;
    if (leftOut > 0) this.#logger.info({ leftOut }, `left out lines about ${this.#subject}`);
  }
}
