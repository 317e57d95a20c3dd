import type { Command } from 'commander';
import { withDesk } from '../flags.ts';

/** Configures `ota-gateway sign`. */
export function configure(command: Command): void {
  withDesk(command)
    .option('--suffix <suffix>', 'FileSuffix; default bin, or that of the file of --curl')
    .option('--curl [file]', 'print a command that uploads a file, to paste into a shell')
    .option('--instance-id <id>', 'IotInstanceId')
    .option('--json', 'print JSON also for errors; the form always is')
    .action(async (flags: unknown) => {
      const { sign } = await import('../actions/sign.ts');
      await sign(flags);
    });
}
