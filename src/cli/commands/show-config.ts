import type { Command } from 'commander';
import { withJson, withSettings } from '../flags.ts';

/** Configures `ota-gateway show-config`. */
export function configure(command: Command): void {
  withJson(withSettings(command)).action(async (flags: unknown) => {
    const { showConfig } = await import('../actions/show-config.ts');
    showConfig(flags);
  });
}
