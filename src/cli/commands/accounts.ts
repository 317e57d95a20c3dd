import type { Command } from 'commander';
import { ENV_FILE } from '../flags.ts';
import { variableName } from '../names.ts';
import { examplesText } from '../verbs.ts';
import type { TypedWords } from '../verbs.ts';

/**
 * Configures `ota-gateway accounts`, a group of commands that list the accounts and edit the accounts file in place. What
 * they change applies when the gateway reads its files again, which they ask it to do.
 */
export function configure(group: Command): void {
  configureList(verb(group, 'ls', 'list accounts, access keys, limits and what is used of them'));
  configureAdd(
    verb(
      group,
      'add <account>',
      'add an account with a new access key, whose secret is shown once',
      [
        'ota-gateway accounts add acme --max-bytes 50GiB --max-uploads 1000',
        'ota-gateway accounts add acme --another-key',
      ],
    ),
  );
  configureRotate(
    verb(group, 'rotate [access-key-id]', 'make a new access key, and end the old one', [
      'ota-gateway accounts rotate LTAI123 --expire now',
      'ota-gateway accounts rotate --bucket',
    ]),
  );
  configureChange(
    verb(group, 'disable <id>', 'refuse the calls of an access key, or of an account'),
    'disable',
  );
  configureChange(
    verb(group, 'enable <id>', 'accept the calls of an access key, or of an account'),
    'enable',
  );
  configureChange(
    verb(
      group,
      'rm <id>',
      'remove an access key, or an account with its keys; packages stay',
    ).option('--yes', 'do not ask'),
    'rm',
  );
}

/** Lists the ids of accounts, of access keys, or of both, which is what the argument says. */
export async function complete({ argument, flags }: TypedWords): Promise<readonly string[]> {
  const { openAccounts } = await import('../accounts-file.ts');
  const { configOf } = await import('../actions/accounts/report.ts');
  return openAccounts(configOf(flags)).accounts.flatMap(({ accessKeys, id }) => [
    ...(argument === 'access-key-id' ? [] : [id]),
    ...(argument === 'account' ? [] : accessKeys.map((key) => key.id)),
  ]);
}

function verb(
  group: Command,
  usage: string,
  description: string,
  examples: readonly string[] = [],
): Command {
  const command = group.command(usage).description(description);
  if (examples.length > 0) command.addHelpText('before', examplesText(examples));
  // Not all settings: one is called --bucket, too.
  return command
    .option(...ENV_FILE)
    .option('--accounts-file <path>', `the file to change (${variableName('accountsFile')})`)
    .option('--data-dir <folder>', `folder of the gateway (${variableName('dataDir')})`)
    .option('--json', 'print JSON');
}

function configureList(command: Command): void {
  command.action(async (flags: unknown) => {
    const { list } = await import('../actions/accounts/list.ts');
    await list(flags);
  });
}

function configureAdd(command: Command): void {
  command
    .option('--another-key', 'add an access key to an account that exists')
    .option('--operator', 'the account sees and changes what belongs to any account')
    .option('--instance <id...>', 'instances that its calls may name')
    .option('--product <key=name...>', 'products that its packages may belong to')
    .option('--max-bytes <size>', 'bytes of its stored and claimed files together')
    .option('--max-uploads <number>', 'uploads that are issued, stored or claimed')
    .option('--max-concurrent <number>', 'files that are received at the same time')
    .option('--max-rate <number>', 'forms that are signed per second')
    .action(async (id: string, flags: unknown) => {
      const { add } = await import('../actions/accounts/add.ts');
      await add(id, flags);
    });
}

function configureRotate(command: Command): void {
  command
    .option('--bucket', 'rotate the generated key of the bucket')
    .option('--expire <duration>', 'when the old key ends: now, or after a duration', '24h')
    .option('--yes', 'with --bucket: end the key from before the last rotation, if it is accepted')
    .action(async (id: string | undefined, flags: unknown) => {
      const { rotate } = await import('../actions/accounts/rotate.ts');
      await rotate(id, flags);
    });
}

function configureChange(command: Command, change: 'disable' | 'enable' | 'rm'): void {
  command.action(async (id: string, flags: unknown) => {
    const { remove, setDisabled } = await import('../actions/accounts/change.ts');
    if (change === 'rm') await remove(id, flags);
    else await setDisabled(id, change === 'disable', flags);
  });
}
