import type { Command } from 'commander';
import { withDesk, withOutput } from '../flags.ts';

export { completeReferences as complete } from '../complete-references.ts';

/** Configures `ota-gateway show`. */
export function configure(command: Command): void {
  withOutput(withDesk(command)).action(async (reference: string, flags: unknown) => {
    const { show } = await import('../actions/show.ts');
    await show(reference, flags);
  });
}
