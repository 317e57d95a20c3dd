import type { Command } from 'commander';
import { withDownload, withEndpoint } from '../flags.ts';

export { completeReferences as complete } from '../complete-references.ts';

/** Configures `ota-gateway url`. */
export function configure(command: Command): void {
  withDownload(withEndpoint(command)).action(async (name: string, flags: unknown) => {
    const { printUrls } = await import('../actions/url.ts');
    await printUrls(name, flags);
  });
}
