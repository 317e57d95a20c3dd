import type { Command } from 'commander';
import { PAGE, UPLOAD_ORDERS, UPLOAD_STATES } from '../../operator/listing.ts';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { choice, withDesk, withOutput } from '../flags.ts';

export const NOUNS = ['uploads', 'packages', 'refusals'] as const;

/** What is listed. */
export type Noun = (typeof NOUNS)[number];

/** Configures `ota-gateway ls`. */
export function configure(command: Command): void {
  const [noun] = command.registeredArguments;
  noun?.choices(NOUNS).default('uploads');
  withOutput(withDesk(command))
    .addOption(choice('--state <state>', 'only uploads in this state', UPLOAD_STATES))
    .option('--account <id>', 'only those of one account')
    .option(
      '--match <text>',
      'only those with this text in the key, the peer or the name of the package, or with this digest',
    )
    .addOption(choice('--reason <reason>', 'only refusals for it', REFUSAL_REASONS))
    .option('--older <duration>', 'only uploads that are at least as old, such as 10m')
    .option('--due <duration>', 'only stored uploads that are purged within this time, such as 5m')
    .addOption(
      choice(
        '--order <order>',
        'newest first, or only those that hold bytes, largest or oldest first',
        UPLOAD_ORDERS,
      ),
    )
    .option('--limit <count>', `at most as many; default ${String(PAGE)}`)
    .option('--after <cursor>', 'go on where a list with this `next` has ended')
    .option('--watch', 'list again and again, until Ctrl+C')
    .option('--interval <duration>', 'how often --watch lists; default 2s')
    .action(async (what: Noun, flags: unknown) => {
      const { list } = await import('../actions/ls.ts');
      await list(what, flags);
    });
}
