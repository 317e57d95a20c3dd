import { z } from 'zod';
import { generateAccessKey } from '../../../accounts/access-key.ts';
import { accountsFileSchema } from '../../../accounts/accounts-schema.ts';
import { addAccessKey, addAccount } from '../../../accounts/edit-accounts.ts';
import { plainTexts, withFound } from '../../../config/config-error.ts';
import { limit, sizeLimit } from '../../../config/units.ts';
import { openAccounts } from '../../accounts-file.ts';
import { CommandError, UsageError } from '../../command-error.ts';
import { jsonFlag } from '../../output.ts';
import { parseFlags } from '../../parse-flags.ts';
import { showNewKey } from './new-key.ts';
import { configOf } from './report.ts';

const PRODUCT = /^([^=]+)=([^]+)$/;

const addFlags = z.looseObject({
  ...jsonFlag.shape,
  anotherKey: z.boolean().default(false),
  operator: z.boolean().default(false),
  instance: z.array(z.string()).optional(),
  product: z.array(z.string().regex(PRODUCT, 'expected KEY=NAME')).optional(),
  // Written as they were given.
  maxBytes: given(sizeLimit).optional(),
  maxUploads: given(limit).optional(),
  maxConcurrent: given(limit).optional(),
  maxRate: given(limit).optional(),
});

/** Text that a schema accepts: a number as a number, and everything else unchanged. */
function given(schema: z.ZodType): z.ZodType<string | number> {
  return z.string().transform((text, context) => {
    const parsed = schema.safeParse(text);
    if (parsed.success) return /^\d+$/.test(text) ? Number(text) : text;
    for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** Adds an account, or an access key to an account that exists. */
export async function add(id: string, flags: unknown): Promise<void> {
  const parsed = parseFlags(addFlags, flags);
  const { anotherKey, instance, json, maxBytes, maxConcurrent, maxRate, maxUploads, ...rest } =
    parsed;
  const { operator, product, ...settings } = rest;
  const key = generateAccessKey();
  const account = {
    id,
    operator: operator || undefined,
    accessKeys: [{ ...key }],
    instances: instance,
    products: product?.map(toProduct),
    ...{ maxBytes, maxUploads, maxConcurrent, maxRate },
  };
  requireValid(account);
  const config = configOf(settings);
  const file = openAccounts(config);
  const exists = file.accounts.some((each) => each.id === id);
  if (exists !== anotherKey) throw exists ? alreadyThere(id) : notThere(id);
  const { text } = file;
  const changed = exists ? addAccessKey(text ?? '', id, key) : addAccount(text, account);
  await showNewKey(config, file, changed, { account: id, key, json });
}

function alreadyThere(id: string): CommandError {
  const hint = 'Give --another-key to add an access key to it';
  return new CommandError('AccountExists', `the account ${id} exists`, hint);
}

function notThere(id: string): CommandError {
  const message = `there is no account ${id} to add an access key to`;
  return new CommandError('NotFound', message, 'Leave --another-key out to add the account');
}

/** The arguments that give the members of an account. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  id: 'ACCOUNT',
  instances: '--instance',
  products: '--product',
};

/** Checks what the arguments say, so that the accounts file is not blamed for them. @throws UsageError */
function requireValid(account: object): void {
  const parsed = accountsFileSchema.safeParse(
    { accounts: [account] },
    { error: plainTexts, reportInput: true },
  );
  if (parsed.success) return;
  const problems = parsed.error.issues.map(({ code, input, message, path }) => {
    const argument = ARGUMENTS[String(path[2])] ?? String(path[2]);
    if (code === 'custom') return `${argument}: expected each of them once`;
    return `${argument}: ${withFound(message, input)}`;
  });
  throw new UsageError(problems.join('\n'));
}

function toProduct(text: string): { readonly key: string; readonly name: string } {
  const [, key = '', name = ''] = PRODUCT.exec(text) ?? [];
  return { key, name };
}
