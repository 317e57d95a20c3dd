import type { Command } from 'commander';
import { withJson, withSettings } from '../flags.ts';

/** Configures `ota-gateway backup`. */
export function configure(command: Command): void {
  withJson(withSettings(command, ['dataDir'])).action(async (folder: string, flags: unknown) => {
    const { backup } = await import('../actions/backup.ts');
    await backup(folder, flags);
  });
}
