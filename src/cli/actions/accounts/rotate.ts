import { z } from 'zod';
import { generateAccessKey } from '../../../accounts/access-key.ts';
import { addAccessKey, disableAccessKey } from '../../../accounts/edit-accounts.ts';
import { duration } from '../../../config/units.ts';
import type { Config } from '../../../config/config.ts';
import { wallClock } from '../../../lib/clock.ts';
import { openAccounts, requireAccessKey } from '../../accounts-file.ts';
import { CommandError, UsageError } from '../../command-error.ts';
import { jsonFlag } from '../../output.ts';
import { parseFlags } from '../../parse-flags.ts';
import { showNewKey } from './new-key.ts';
import { configOf, isoTime } from './report.ts';
import type { Expiry } from './rotate-bucket.ts';
import { rotateBucket } from './rotate-bucket.ts';

const rotateFlags = z.looseObject({
  ...jsonFlag.shape,
  bucket: z.boolean().default(false),
  yes: z.boolean().default(false),
  expire: z.union([z.literal('now'), duration], {
    error: 'expected now, or a duration such as 24h',
  }),
});

/** Makes a new access key, or a new key of the bucket, and ends the old one. */
export async function rotate(id: string | undefined, flags: unknown): Promise<void> {
  const { bucket, expire, json, yes, ...settings } = parseFlags(rotateFlags, flags);
  if (bucket === (id !== undefined)) {
    throw new UsageError('expected either the id of an access key, or --bucket');
  }
  const config = configOf(settings);
  if (id === undefined) await rotateBucket(config, { expire, json, yes });
  else await rotateAccessKey(config, { id, expire, json });
}

/** Makes a new access key beside one that exists, and ends that one. */
async function rotateAccessKey(
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
