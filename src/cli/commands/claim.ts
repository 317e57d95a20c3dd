import type { Command } from 'commander';
import { withDesk, withJson, withPackageName, withPackageParameters } from '../flags.ts';

export { completeReferences as complete } from '../complete-references.ts';

/** Configures `ota-gateway claim`. */
export function configure(command: Command): void {
  withPackageParameters(withPackageName(withJson(withDesk(command)))).action(
    async (uploads: string[], flags: unknown) => {
      const { claim } = await import('../actions/claim.ts');
      await claim(uploads, flags);
    },
  );
}
