import { z } from 'zod';
import { limit, sizeLimit } from '../config/units.ts';
import type { Account } from './accounts.ts';

const identifier = z
  .string()
  .regex(/^[\w.@-]{1,128}$/, 'expected 1 to 128 letters, digits or . _ @ -');
const visible = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'expected visible ASCII without spaces');

const date = z.iso
  .datetime({ offset: true, error: 'expected a date like 2024-04-01T12:00:00Z' })
  .transform((text) => Date.parse(text));

const accessKey = z
  .strictObject({
    id: identifier,
    secret: visible,
    disabled: z.boolean().optional(),
    disabledFrom: date.optional(),
    securityToken: visible.optional(),
    expiresAt: date.optional(),
  })
  .refine((key) => key.expiresAt === undefined || key.securityToken !== undefined, {
    path: ['expiresAt'],
    error:
      'only a temporary access key, one with a securityToken, can expire; others have disabledFrom',
  });

const product = z.strictObject({
  key: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'expected 1 to 64 letters or digits'),
  name: z.string().min(1),
});

const account = z.strictObject({
  id: identifier,
  operator: z.boolean().optional(),
  accessKeys: z.array(accessKey).min(1, 'an account needs at least one access key'),
  instances: z.array(identifier).min(1, 'leave instances out when there are none').optional(),
  products: z.array(product).min(1, 'leave products out when there are none').optional(),
  maxBytes: sizeLimit.optional(),
  maxUploads: limit.optional(),
  maxConcurrent: limit.optional(),
  maxRate: limit.optional(),
});

const file = z.strictObject({
  accounts: z.array(account).min(1, 'there must be at least one account'),
});

/** The accounts file: `{ "accounts": [...] }`. Unknown members, and ids that are given twice, are rejected. */
export const accountsFileSchema = file.superRefine(({ accounts }, context) => {
  const first = new Map<string, string>();
  for (const { id, path, what } of accounts.flatMap(listIds)) {
    const identity = JSON.stringify([what, id]);
    const earlier = first.get(identity);
    if (earlier === undefined) first.set(identity, path.join('.'));
    else {
      const message = `${what} ${id} is given at ${earlier} already`;
      context.addIssue({ code: 'custom', path, message });
    }
  }
});

interface LocatedId {
  readonly what: string;
  readonly id: string;
  readonly path: PropertyKey[];
}

/**
 * @returns the ids that must be unique: accounts and access keys in the whole file, instances and products in their
 *   account
 */
function listIds(entry: Account, index: number): LocatedId[] {
  const at = (...rest: PropertyKey[]): PropertyKey[] => ['accounts', index, ...rest];
  const { accessKeys, id, instances = [], products = [] } = entry;
  return [
    { what: 'account', id, path: at('id') },
    ...accessKeys.map((key, n) => ({
      what: 'access key',
      id: key.id,
      path: at('accessKeys', n, 'id'),
    })),
    ...instances.map((instance, n) => ({
      what: `instance of account ${id}`,
      id: instance,
      path: at('instances', n),
    })),
    ...products.map((each, n) => ({
      what: `product of account ${id}`,
      id: each.key,
      path: at('products', n, 'key'),
    })),
  ];
}
