import { CommandError } from './command-error.ts';

/**
 * Stops a command at SIGINT and SIGTERM by an error.
 * @param message - what was stopped
 * @param hint - what to do
 * @returns the signal for what the command does
 */
export function stopSignal(message: string, hint: string): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new CommandError('Stopped', message, hint));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return stopping.signal;
}
