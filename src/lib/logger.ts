/** The logger of the gateway; a pino logger can be used. */
export interface Logger {
  /** Details for debugging. */
  debug(details: object, message: string): void;
  /** Information for the operator. */
  info(details: object, message: string): void;
  /** Something is wrong, but nothing has failed yet. */
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
