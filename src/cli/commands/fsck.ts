import type { Command } from 'commander';
import { withJson, withSettings } from '../flags.ts';

/**
 * Configures `ota-gateway fsck`, which works also while gateways are running; only the repair of a ledger in a data folder
 * needs its server stopped.
 */
export function configure(command: Command): void {
  withJson(withSettings(command, ['dataDir']))
    .option('--deep', 'read every body and compare its digests')
    .option(
      '--repair',
      'repair what can be repaired; the server must be stopped, unless the ledger is in PostgreSQL',
    )
    .option(
      '--sweep',
      'give up the bodies of a shared store that no upload has; the purge deletes them',
    )
    .option(
      '--age <duration>',
      'age of such a body, instead of the setting; 0 only when no gateway is running',
    )
    .action(async (flags: unknown) => {
      const { fsck } = await import('../actions/fsck.ts');
      await fsck(flags);
    });
}
