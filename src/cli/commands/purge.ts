import type { Command } from 'commander';
import { withDesk, withJson } from '../flags.ts';

/** Configures `ota-gateway purge`. */
export function configure(command: Command): void {
  withJson(withDesk(command))
    .option('--dry-run', 'only say what is due')
    .action(async (flags: unknown) => {
      const { purge } = await import('../actions/purge.ts');
      await purge(flags);
    });
}
