import { createInterface } from 'node:readline/promises';
import { generateAccessKey } from '../accounts/access-key.ts';
import {
  addAccessKey,
  addAccount,
  disableAccessKey,
  enableAccessKey,
  removeAccessKey,
  removeAccount,
} from '../accounts/edit-accounts.ts';
import { findReplacedBucketKey, rotateBucketKey } from '../accounts/rotate-bucket-key.ts';
import type { Config } from '../config/config.ts';
import { wallClock } from '../lib/clock.ts';
import type {
  ChangedAccountShape,
  NewAccessKeyShape,
  RotatedBucketKeyShape,
} from '../operator/account-shapes.ts';
import type { EditableAccounts } from './accounts-file.ts';
import { openAccounts, requireAccessKey, requireTarget, writeAccounts } from './accounts-file.ts';
import { formatAccounts, listAccounts } from './accounts-list.ts';
import { CommandError, UsageError } from './command-error.ts';
import type { AddFlags } from './commands/accounts.ts';
import { EXIT } from './exit-codes.ts';
import { givenName, variableName } from './names.ts';
import { counted } from './people.ts';
import { printJson, say } from './output.ts';
import type { Reload } from './reload-gateway.ts';
import { describeReload, reloadGateway } from './reload-gateway.ts';

/** When an old key ends: at once, or after a time in milliseconds. */
type Expiry = 'now' | number;

/** Prints the accounts, without secrets. */
export async function list(config: Config, json: boolean): Promise<void> {
  const found = await listAccounts(config, wallClock.now());
  if (json) {
    printJson(found);
    return;
  }
  process.stdout.write(formatAccounts(found));
  const source = config.accountsFile ?? `no accounts file (${variableName('accountsFile')})`;
  process.stderr.write(`${counted(found.accounts.length, 'account')}, ${source}\n`);
}

/** Adds an account, or an access key to an account that exists. */
export async function add(config: Config, id: string, flags: AddFlags): Promise<void> {
  const file = openAccounts(config);
  const key = generateAccessKey();
  const exists = file.accounts.some((account) => account.id === id);
  if (exists !== flags.anotherKey) {
    throw exists
      ? new CommandError(
          'AccountExists',
          `the account ${id} exists`,
          'Give --another-key to add an access key to it',
        )
      : new CommandError(
          'NotFound',
          `there is no account ${id} to add an access key to`,
          'Leave --another-key out to add the account',
        );
  }
  const { text = '' } = file;
  const changed = exists ? addAccessKey(text, id, key) : withAccount(file, id, key, flags);
  await showNewKey(config, file, changed, { account: id, key, json: flags.json });
}

function withAccount(
  { text }: EditableAccounts,
  id: string,
  key: ReturnType<typeof generateAccessKey>,
  { instance, maxBytes, maxConcurrent, maxRate, maxUploads, operator, product }: AddFlags,
): string {
  return addAccount(text, {
    id,
    operator: operator || undefined,
    accessKeys: [{ ...key }],
    instances: instance,
    products: product?.map(toProduct),
    ...{ maxBytes, maxUploads, maxConcurrent, maxRate },
  });
}

function toProduct(text: string): { readonly key: string; readonly name: string } {
  const [, key = '', name = ''] = /^([^=]+)=([^]+)$/.exec(text) ?? [];
  return { key, name };
}

interface NewKey {
  readonly account: string;
  readonly key: ReturnType<typeof generateAccessKey>;
  readonly json: boolean;
  readonly previous?: NewAccessKeyShape['previous'];
}

/** Writes the file, and shows the secret of a new access key, which is not shown again. */
async function showNewKey(
  config: Config,
  file: EditableAccounts,
  changed: string,
  { account, json, key, previous }: NewKey,
): Promise<void> {
  writeAccounts(file, changed);
  const reload = await reloadGateway(config, file.accounts);
  const shape: NewAccessKeyShape = {
    ...{ account, accessKeyId: key.id, accessKeySecret: key.secret },
    ...(previous && { previous }),
    reload: reload.outcome,
  };
  const lines = [
    `Account          ${account}`,
    `AccessKeyId      ${key.id}`,
    `AccessKeySecret  ${key.secret}`,
  ];
  print(json, shape, lines);
  const notes = ['The secret is not shown again.'];
  if (previous !== undefined) {
    notes.push(`The old key ${previous.accessKeyId} works until ${previous.disabledFrom}.`);
  }
  note(json, reload, notes);
}

/** Makes a new access key beside one that exists, and ends that one. */
export async function rotate(
  config: Config,
  { expire, id, json }: { readonly id: string; readonly expire: Expiry; readonly json: boolean },
): Promise<void> {
  const file = openAccounts(config);
  const { accessKey, account } = requireAccessKey(file.accounts, id);
  if (accessKey.securityToken !== undefined) {
    throw new CommandError(
      'TemporaryKey',
      `${id} is a temporary access key, which ends by itself`,
      `Add another one with \`ota-gateway accounts add ${account.id} --another-key\``,
    );
  }
  const now = wallClock.now();
  // A key that ends earlier is not given more time.
  const from = Math.min(accessKey.disabledFrom ?? Infinity, expire === 'now' ? now : now + expire);
  const key = generateAccessKey();
  const ended = disableAccessKey(file.text ?? '', id, from);
  await showNewKey(config, file, addAccessKey(ended, account.id, key), {
    ...{ account: account.id, key, json },
    previous: { accessKeyId: id, disabledFrom: isoTime(from) },
  });
}

/** Makes a new generated key of the bucket, which signs from the next reload on. */
export async function rotateBucket(
  config: Config,
  { expire, json, yes }: { readonly expire: Expiry; readonly json: boolean; readonly yes: boolean },
): Promise<void> {
  if (config.ossAccessKeyId !== undefined) {
    const [id, secret] = [variableName('ossAccessKeyId'), variableName('ossAccessKeySecret')];
    const previous = [
      variableName('ossPreviousAccessKeyId'),
      variableName('ossPreviousAccessKeySecret'),
    ].join(' and ');
    throw new CommandError(
      'KeyOfSettings',
      `the key of the bucket is a setting (${givenName('ossAccessKeyId')}), which a command cannot change`,
      `Put the present one into ${previous}, a new one into ${id} and ${secret}, and start the gateway again`,
    );
  }
  const now = wallClock.now();
  if (!yes && expire !== 'now') requireNoReplacedKey(config, now);
  const until = expire === 'now' ? undefined : now + expire;
  const rotated = rotateBucketKey(config.dataDir, now, until);
  const known = config.accountsFile === undefined ? undefined : openAccounts(config).accounts;
  const reload = await reloadGateway(config, known);
  const acceptedUntil = isoTime(until ?? now);
  const { ended } = rotated;
  const shape: RotatedBucketKeyShape = {
    accessKeyId: rotated.accessKeyId,
    previous: { accessKeyId: rotated.previousAccessKeyId, acceptedUntil },
    ...(ended && {
      ended: { accessKeyId: ended.accessKeyId, acceptedUntil: isoTime(ended.until) },
    }),
    reload: reload.outcome,
  };
  print(json, shape, [
    `New bucket key  ${rotated.accessKeyId}`,
    `Old bucket key  ${rotated.previousAccessKeyId}, accepted until ${acceptedUntil}`,
  ]);
  const notes =
    ended === undefined
      ? []
      : [`What the key before it, ${ended.accessKeyId}, has signed is not accepted now.`];
  note(json, reload, notes);
}

/** What was promised of an earlier key is kept, unless the user says otherwise. @throws CommandError */
function requireNoReplacedKey({ dataDir }: Config, now: number): void {
  const replaced = findReplacedBucketKey(dataDir, now);
  if (replaced === undefined) return;
  const until = isoTime(replaced.until);
  throw new CommandError(
    'PreviousKeyAccepted',
    `the bucket key from before the last rotation, ${replaced.accessKeyId}, is accepted until ${until}; ` +
      'another rotation ends it at once, with the download URLs that it has signed',
    'Wait until then, or give --yes to end it; --expire now ends the present key, too',
  );
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Disables or enables an access key, or all keys of an account. */
export async function setDisabled(
  config: Config,
  options: { readonly id: string; readonly disabled: boolean; readonly json: boolean },
): Promise<void> {
  const file = openAccounts(config);
  const { accessKeys, account } = requireTarget(file.accounts, options.id);
  const ids = accessKeys.map((key) => key.id);
  const change = options.disabled ? disableAccessKey : enableAccessKey;
  const changed = ids.reduce((text, id) => change(text, id), file.text ?? '');
  const what = options.disabled ? 'disabled' : 'enabled';
  await applyChange(config, file, changed, { account: account.id, ids, what, json: options.json });
}

/** Removes an access key, or an account. Asks first on a terminal. */
export async function remove(
  config: Config,
  { id, json, yes }: { readonly id: string; readonly json: boolean; readonly yes: boolean },
): Promise<void> {
  const file = openAccounts(config);
  const { text = '' } = file;
  const { accessKeys, account } = requireTarget(file.accounts, id);
  const isKey = accessKeys.some((key) => key.id === id);
  if (isKey && account.accessKeys.length === 1) {
    throw new CommandError(
      'OnlyAccessKey',
      `${id} is the only access key of the account ${account.id}`,
      `Disable it, or remove the account: ota-gateway accounts rm ${account.id}`,
    );
  }
  if (!isKey && file.accounts.length === 1) {
    throw new CommandError(
      'OnlyAccount',
      `${id} is the only account of ${file.path}`,
      'Add another one before: ota-gateway accounts add ACCOUNT',
    );
  }
  const what = isKey ? `access key ${id} of account ${account.id}` : `account ${id}`;
  if (!yes && !(await confirm(`Remove the ${what}?`))) {
    say('nothing was removed');
    return;
  }
  const changed = isKey ? removeAccessKey(text, id) : removeAccount(text, id);
  const ids = accessKeys.map((key) => key.id);
  await applyChange(config, file, changed, { account: account.id, ids, what: 'removed', json });
}

/** @throws UsageError when there is no terminal to ask on */
async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    const message = '--yes: there is no terminal to ask on';
    throw new UsageError(message, 'Give --yes to remove without asking');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

interface Change {
  readonly account: string;
  readonly ids: readonly string[];
  readonly what: string;
  readonly json: boolean;
}

async function applyChange(
  config: Config,
  file: EditableAccounts,
  changed: string,
  { account, ids, json, what }: Change,
): Promise<void> {
  writeAccounts(file, changed);
  const reload = await reloadGateway(config, file.accounts);
  const shape: ChangedAccountShape = { account, accessKeyIds: [...ids], reload: reload.outcome };
  print(json, shape, [`${what} ${ids.join(', ')} of account ${account}`]);
  note(json, reload, []);
}

function print(json: boolean, shape: object, lines: readonly string[]): void {
  if (json) printJson(shape);
  else process.stdout.write(`${lines.join('\n')}\n`);
}

/** Tells people what happens next; JSON has it already. */
function note(json: boolean, reload: Reload, notes: readonly string[]): void {
  if (reload.outcome === 'refused') process.exitCode = EXIT.findings;
  if (!json) process.stderr.write(`${[...notes, describeReload(reload)].join('\n')}\n`);
}
