import type { Command } from 'commander';
import { withDesk, withOutput } from '../flags.ts';

/** Configures `ota-gateway trace`. */
export function configure(command: Command): void {
  withOutput(withDesk(command))
    .option('--errors', 'only requests that were refused or have failed')
    .option('--operation <name>', 'only one operation, such as PostObject')
    .option('--key <text>', 'only requests whose object key contains the text')
    .option('--slow <duration>', 'only requests that took at least as long, such as 1s')
    .action(async (flags: unknown) => {
      const { trace } = await import('../actions/trace.ts');
      await trace(flags);
    });
}
