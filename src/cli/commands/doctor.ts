import type { Command } from 'commander';
import { withDesk, withOutput } from '../flags.ts';

/** Configures `ota-gateway doctor`. */
export function configure(command: Command): void {
  withOutput(withDesk(command)).action(async (flags: unknown) => {
    const { doctor } = await import('../actions/doctor.ts');
    await doctor(flags);
  });
}
