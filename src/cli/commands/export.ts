import type { Command } from 'commander';
import { withJson, withSettings } from '../flags.ts';

const SHOWN = [
  ...(['dataDir', 'ledgerUrl', 'storeUrl', 'storeAccessKeyId', 'storeAccessKeySecret'] as const),
];

/** Configures `ota-gateway export`. */
export function configure(command: Command): void {
  withJson(withSettings(command, SHOWN)).action(async (flags: unknown) => {
    const { exportFolder } = await import('../actions/export.ts');
    await exportFolder(flags);
  });
}
