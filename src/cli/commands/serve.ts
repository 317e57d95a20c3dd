import type { Command } from 'commander';
import { withSettings } from '../flags.ts';

/** Configures `ota-gateway serve`. */
export function configure(command: Command): void {
  withSettings(command).action(async (flags: Record<string, unknown>) => {
    const { serve } = await import('../actions/serve.ts');
    await serve(flags);
  });
}
