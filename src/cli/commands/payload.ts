import type { Command } from 'commander';
import { withDownload, withEndpoint } from '../flags.ts';

export { completeReferences as complete } from '../complete-references.ts';

/** Configures `ota-gateway payload`. */
export function configure(command: Command): void {
  withDownload(withEndpoint(command)).action(async (name: string, flags: unknown) => {
    const { printPayload } = await import('../actions/payload.ts');
    await printPayload(name, flags);
  });
}
