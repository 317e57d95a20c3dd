#!/usr/bin/env node
import { hasErrorCode } from '../lib/errno.ts';
import { CommandError, describeError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { printError, runCommand } from './run-command.ts';
import { VERBS, nameOf } from './verbs.ts';

/**
 * Handles output that cannot be written: its reader has ended, such as `head`, or a disk is full. Ends the command,
 * unless it changes something, which is not left half done.
 */
function handleLostOutput(error: Error, args: readonly string[]): void {
  const isClosed = hasErrorCode(error, 'EPIPE');
  const changes = VERBS.some((verb) => verb.changes === true && nameOf(verb) === args[0]);
  const isKnown = process.exitCode === EXIT.failed;
  if (!isClosed && !(changes && isKnown)) {
    const { code, hint, message } = describeError(error);
    const problem = `the output cannot be written: ${message}`;
    printError(new CommandError(code, problem, hint), args);
    process.exitCode = EXIT.failed;
  }
  if (!changes) process.exit(process.exitCode ?? EXIT.done);
}

const CHECK_ADDRESS = 'Look into the log of the gateway, and check that this is its address';

async function main(args: readonly string[]): Promise<void> {
  let isOver = false;
  process.once('exit', (code) => {
    // Node ends when nothing is left to wait for, even if the command has not come to its end: Node 20 never settles a
    // `fetch` whose connection is closed at once.
    if (isOver || code !== EXIT.done) return;
    printError(
      new CommandError(
        'Unreachable',
        'the connection was closed before the response',
        CHECK_ADDRESS,
      ),
      args,
    );
    process.exitCode = EXIT.failed;
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: Error) => {
      isOver = true;
      handleLostOutput(error, args);
    });
  }
  const code = await runCommand(args);
  isOver = true;
  if (code !== undefined) process.exitCode = code;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  throw error;
});
