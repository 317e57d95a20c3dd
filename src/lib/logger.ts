/** What the gateway logs through; a pino logger is one. */
export interface Logger {
  /** For whoever looks into something. */
  debug(details: object, message: string): void;
  /** What an operator may want to know. */
  info(details: object, message: string): void;
  /** Something is not as it should be; nothing has failed yet. */
  warn(details: object, message: string): void;
  /** Something has failed. */
  error(details: object, message: string): void;
}

const discard = (): void => undefined;

/** Logs nothing. */
export const silentLogger: Logger = {
  debug: discard,
  info: discard,
  warn: discard,
  error: discard,
};
