import type { Command } from 'commander';
import { z } from 'zod';
import { duration, limit, sizeLimit } from '../../config/units.ts';
import type { Config } from '../../config/config.ts';
import { UsageError } from '../command-error.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { variableName } from '../names.ts';
import { ENV_FILE, parseFlags } from '../setting-flags.ts';
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
  if (examples.length > 0) {
    command.addHelpText('before', `Examples:\n${examples.map((each) => `  ${each}\n`).join('')}`);
  }
  // Not all settings: one is called --bucket, too.
  return command
    .option(...ENV_FILE)
    .option('--accounts-file <path>', `the file to change (${variableName('accountsFile')})`)
    .option('--data-dir <folder>', `folder of the gateway (${variableName('dataDir')})`)
    .option('--json', 'print JSON');
}

/** Reads the settings among the flags of a command. */
function configOf(settings: Readonly<Record<string, unknown>>): Config {
  return readConfig(gatherOptions(process.env, settings));
}

const common = { json: z.boolean().default(false) };
const listFlags = z.looseObject(common);
const addFlags = z.looseObject({
  ...common,
  anotherKey: z.boolean().default(false),
  operator: z.boolean().default(false),
  instance: z.array(z.string()).optional(),
  product: z.array(z.string().regex(/^[^=]+=[^]+$/, 'expected KEY=NAME')).optional(),
  // Written as they were given.
  maxBytes: given(sizeLimit).optional(),
  maxUploads: given(limit).optional(),
  maxConcurrent: given(limit).optional(),
  maxRate: given(limit).optional(),
});
const rotateFlags = z.looseObject({
  ...common,
  bucket: z.boolean().default(false),
  yes: z.boolean().default(false),
  expire: z.union([z.literal('now'), duration], {
    error: 'expected now, or a duration such as 24h',
  }),
});
const changeFlags = z.looseObject({ ...common, yes: z.boolean().default(false) });

/** Text that a schema accepts: a number as a number, and everything else unchanged. */
function given(schema: z.ZodType): z.ZodType<string | number> {
  return z.string().transform((text, context) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return /^\d+$/.test(text) ? Number(text) : text;
    for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** The flags of `accounts add` beside the settings. */
export type AddFlags = z.infer<typeof addFlags>;

function configureList(command: Command): void {
  command.action(async (flags: unknown) => {
    const { json, ...settings } = parseFlags(listFlags, flags);
    const { list } = await import('../accounts-actions.ts');
    await list(configOf(settings), json);
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
      const parsed = parseFlags(addFlags, flags);
      const { add } = await import('../accounts-actions.ts');
      await add(configOf(settingsOf(parsed)), id, parsed);
    });
}

const OWN_FLAGS = new Set([
  ...['json', 'anotherKey', 'operator', 'instance', 'product'],
  ...['maxBytes', 'maxUploads', 'maxConcurrent', 'maxRate'],
]);

function settingsOf(flags: AddFlags): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !OWN_FLAGS.has(name)));
}

function configureRotate(command: Command): void {
  command
    .option('--bucket', 'rotate the generated key of the bucket')
    .option('--expire <duration>', 'when the old key ends: now, or after a duration', '24h')
    .option('--yes', 'with --bucket: end the key from before the last rotation, if it is accepted')
    .action(async (id: string | undefined, flags: unknown) => {
      const { bucket, expire, json, yes, ...settings } = parseFlags(rotateFlags, flags);
      const actions = await import('../accounts-actions.ts');
      const config = configOf(settings);
      if (bucket === (id !== undefined)) {
        throw new UsageError('expected either the id of an access key, or --bucket');
      }
      if (id === undefined) await actions.rotateBucket(config, { expire, json, yes });
      else await actions.rotate(config, { id, expire, json });
    });
}

function configureChange(command: Command, change: 'disable' | 'enable' | 'rm'): void {
  command.action(async (id: string, flags: unknown) => {
    const { json, yes, ...settings } = parseFlags(changeFlags, flags);
    const actions = await import('../accounts-actions.ts');
    const config = configOf(settings);
    if (change === 'rm') await actions.remove(config, { id, json, yes });
    else await actions.setDisabled(config, { id, json, disabled: change === 'disable' });
  });
}
