import type { Command } from 'commander';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { choice, withDesk, withOutput } from '../flags.ts';

export { completeRefusals as complete } from '../complete-references.ts';

/** Configures `ota-gateway explain`. */
export function configure(command: Command): void {
  withOutput(withDesk(command))
    .addOption(choice('--reason <reason>', 'list those for it', REFUSAL_REASONS))
    .option('--form <file>', 'judge a form: JSON, or lines name=value; - for stdin')
    .option('--policy <base64>', 'judge a form with this policy')
    .option('--signature <text>', 'and this signature')
    .option('-f, --field <name=value...>', 'and these fields, such as key=ota/5915.bin')
    .addHelpText('after', FORM_HELP)
    .action(async (name: string | undefined, flags: unknown) => {
      const { explain } = await import('../actions/explain.ts');
      await explain(name, flags);
    });
}

const FORM_HELP = `
With --form, --policy, --signature or -f it judges a form as PostObject does, without sending it; with the id of a
refused request, the fields of that request stand for those that are not given. The exit code is 3 for a form that
would be refused.`;
