/* The JSON of accounts: of the operator API, and of the commands for accounts. */
import { z } from 'zod';
import { limitsShape, usedShape } from './shapes.ts';

const time = z.iso.datetime().describe('ISO 8601 in UTC');
const reload = z
  .enum(['reloaded', 'refused', 'asked', 'notRunning', 'unknown'])
  .describe(
    'what the running gateway has done: reloaded: it has read its files again; refused: it cannot use them; asked: it got a signal; unknown: one is running, and could not be asked',
  );

/** An access key, without its secret. */
export const accessKeyShape = z.object({
  id: z.string(),
  state: z
    .enum(['active', 'ending', 'disabled', 'temporary', 'expired'])
    .describe('ending: works until disabledFrom; temporary: has a security token'),
  disabledFrom: time.exactOptional(),
  expiresAt: time.exactOptional(),
});

/** An account with its access keys, its limits and what it uses of them. */
export const accountShape = z.object({
  id: z.string(),
  operator: z.boolean().describe('sees and changes what belongs to any account'),
  accessKeys: z.array(accessKeyShape),
  instances: z.array(z.string()).exactOptional(),
  products: z.array(z.object({ key: z.string(), name: z.string() })).exactOptional(),
  limits: limitsShape,
  used: usedShape.describe('what the account uses of its limits'),
});

const bucketShape = z.object({ limits: limitsShape, used: usedShape });
const together = 'the limits of all accounts together, and what is used of them';

/** All accounts. */
export const accountListShape = z.object({
  items: z.array(accountShape).describe('in the order of the accounts file'),
  bucket: bucketShape.describe(together),
});

const usedOfFolder = usedShape.optional().describe('absent when there is no data folder');

/** The answer of `accounts ls`, which also works before the first start of a gateway. */
export const folderAccountsShape = z.object({
  items: z.array(accountShape.extend({ used: usedOfFolder })),
  bucket: bucketShape.extend({ used: usedOfFolder }).describe(together),
});

/** The answer of `accounts add` and `accounts rotate`. The secret is shown only here. */
export const newAccessKeyShape = z.object({
  account: z.string(),
  accessKeyId: z.string(),
  accessKeySecret: z.string(),
  previous: z
    .object({ accessKeyId: z.string(), disabledFrom: time })
    .exactOptional()
    .describe('the key that the new one replaces'),
  reload,
});

/** The answer of `accounts rotate --bucket`. */
export const rotatedBucketKeyShape = z.object({
  accessKeyId: z.string(),
  previous: z.object({ accessKeyId: z.string(), acceptedUntil: time }),
  ended: z
    .object({ accessKeyId: z.string(), acceptedUntil: time })
    .exactOptional()
    .describe('a key of an earlier rotation that is not accepted from now on, and would have been'),
  reload,
});

/** The answer of `accounts disable`, `enable` and `rm`. */
export const changedAccountShape = z.object({
  account: z.string(),
  accessKeyIds: z.array(z.string()),
  reload,
});

export type AccessKeyShape = z.infer<typeof accessKeyShape>;
export type AccountShape = z.infer<typeof accountShape>;
export type AccountListShape = z.infer<typeof accountListShape>;
export type FolderAccountsShape = z.infer<typeof folderAccountsShape>;
export type NewAccessKeyShape = z.infer<typeof newAccessKeyShape>;
export type RotatedBucketKeyShape = z.infer<typeof rotatedBucketKeyShape>;
export type ChangedAccountShape = z.infer<typeof changedAccountShape>;
export type ReloadOutcome = z.infer<typeof reload>;
