import type { Command } from 'commander';
import { withDesk, withJson } from '../flags.ts';

export { completeReferences as complete } from '../complete-references.ts';

/** Configures `ota-gateway rm`. */
export function configure(command: Command): void {
  withJson(withDesk(command))
    .option('--yes', 'do not ask; must be given when no terminal can be asked')
    .action(async (references: string[], flags: unknown) => {
      const { remove } = await import('../actions/rm.ts');
      await remove(references, flags);
    });
}
