import { credentialsPath } from '../../../accounts/credentials-file.ts';
import { findReplacedBucketKey, rotateBucketKey } from '../../../accounts/rotate-bucket-key.ts';
import type { Config } from '../../../config/config.ts';
import { wallClock } from '../../../lib/clock.ts';
import type { RotatedBucketKeyShape } from '../../../operator/account-shapes.ts';
import { changeFile, openAccounts } from '../../accounts-file.ts';
import { CommandError } from '../../command-error.ts';
import { givenName, variableName } from '../../names.ts';
import { reloadGateway } from '../../reload-gateway.ts';
import { isoTime, note, printChange } from './report.ts';

/** When an old key ends: at once, or after a time in milliseconds. */
export type Expiry = 'now' | number;

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
  const rotated = changeFile(credentialsPath(config.dataDir), () =>
    rotateBucketKey(config.dataDir, now, until),
  );
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
  printChange(json, shape, [
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
