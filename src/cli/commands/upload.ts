import type { Command } from 'commander';
import { withDesk, withJson, withPackageName, withPackageParameters } from '../flags.ts';

/** Configures `ota-gateway upload`. */
export function configure(command: Command): void {
  withPackageName(withJson(withDesk(command)))
    .option('--each', 'make one package of each file, named NAME-<file>')
    .option('--suffix <suffix>', 'FileSuffix, instead of that of each file name');
  withPackageParameters(command).action(async (paths: string[], flags: unknown) => {
    const { upload } = await import('../actions/upload.ts');
    await upload(paths, flags);
  });
}
