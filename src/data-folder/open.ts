import { existsSync } from 'node:fs';
import { credentialsPath, readCredentials } from '../accounts/credentials-file.ts';
import { readConfigured, resolveBucketKeys } from '../accounts/keys.ts';
import type { Config } from '../config/config.ts';
import { upgradeMessage } from '../iot/upgrade-message.ts';
import type { Clock } from '../lib/clock.ts';
import { wallClock } from '../lib/clock.ts';
import type { FormJudge } from '../operator/ports.ts';
import type { PushMessageShape } from '../operator/package-shapes.ts';
import { pushMessage } from '../operator/push-message.ts';
import { createQueries } from '../operator/queries.ts';
import type { Queries } from '../operator/queries.ts';
import { createRefusalQueries } from '../operator/refusals.ts';
import type { RefusalKeys, RefusalQueries } from '../operator/refusals.ts';
import { FOLDER_READER } from '../operator/viewer.ts';
import type { Viewer } from '../operator/viewer.ts';
import { createFormJudge, publicHost } from '../platform.ts';
import { downloadUrl } from '../signatures/download-url.ts';
import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import type { UploadLedger } from '../uploads/ports.ts';
import { openForReading } from './existing-ledger.ts';

/** A data folder that is opened without a gateway, for commands; its server may be running. */
export interface DataFolder extends AsyncDisposable {
  readonly ledger: UploadLedger;
  /** Finds a firmware package of any account. */
  findPackage(firmwareId: string): Promise<FirmwarePackage | undefined>;
  /**
   * Signs the download URL of an object; the object need not exist.
   * @param expiresAt - Unix milliseconds
   * @throws ConfigError when the address of the gateway does not follow from the settings; an Error when there is no
   *   bucket key, neither in the settings nor in the data folder
   */
  downloadUrl(key: string, expiresAt: number): string;
  /**
   * Makes the message that the platform would push to a device now.
   * @param validity - how long its URLs are valid, in milliseconds
   * @throws like `downloadUrl`
   */
  pushMessage(firmware: FirmwarePackage, validity: number): PushMessageShape;
}

/**
 * Opens a data folder for reading. Its server may be running.
 * @throws SettingsError when the folder has no ledger
 */
export async function openDataFolder(config: Config): Promise<DataFolder> {
  const { ledger } = await openForReading(config);
  // Only reads credentials: the server would reject signatures of newly generated keys.
  const bucketKeyOf = () => resolveBucketKeys(config, readCredentials).current;
  return {
    ledger,
    findPackage: (firmwareId) => ledger.findPackageById(firmwareId),
    downloadUrl: (key, expiresAt) =>
      downloadUrl(
        bucketKeyOf(),
        { host: publicHost(config), bucket: config.bucket, key },
        expiresAt,
      ),
    pushMessage: (firmware, validity) => {
      const deps = { bucket: config.bucket, bucketKey: bucketKeyOf(), compose: upgradeMessage };
      return pushMessage(deps, firmware, {
        at: wallClock.now(),
        validity,
        host: publicHost(config),
      });
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

/** Answers what operators ask from a data folder; its server may be running. */
export interface FolderQueries extends AsyncDisposable {
  readonly queries: Queries;
  /** What was refused, while the server keeps it. */
  readonly refusals: RefusalQueries;
  /** A reader of the folder sees everything. */
  readonly viewer: Viewer;
}

/**
 * Opens a data folder for queries, for reading only.
 * @throws SettingsError when the folder has no ledger; an Error when its ledger is older or newer than this program
 */
export async function openQueries(
  config: Config,
  clock: Clock = wallClock,
): Promise<FolderQueries> {
  const { ledger, refusals } = await openForReading(config);
  const { bucket, claimTtl, maxUpload: maxUploadBytes, policyTtl } = config;
  return {
    queries: createQueries({ ledger, clock, rules: { claimTtl } }),
    refusals: createRefusalQueries({
      judge: folderJudge(config, clock),
      wallClock,
      refusals,
      keys: () => folderKeys(config),
      rules: { bucket, policyTtl, maxUploadBytes },
    }),
    viewer: FOLDER_READER,
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

/** @returns undefined when neither the settings nor the data folder have a bucket key */
function folderJudge(config: Config, clock: Clock): FormJudge | undefined {
  const { accounts, bucketKey } = folderKeys(config);
  if (bucketKey === undefined) return undefined;
  const isAccountKey = (id: string): boolean =>
    accounts.some(({ accessKeys }) => accessKeys.some((key) => key.id === id));
  const ownPorts = new Set([config.port]);
  return createFormJudge({ config, bucketKey, isAccountKey, clock, wallClock, ownPorts });
}

/** @returns the keys of the settings and of the data folder, as far as there are any; none is generated */
function folderKeys(config: Config): RefusalKeys {
  const hasFile = existsSync(credentialsPath(config.dataDir));
  const simple =
    simpleKey(config) ?? (hasFile ? readCredentials(config.dataDir).account : undefined);
  const own = simple === undefined ? [] : [{ id: 'default', accessKeys: [simple] }];
  const hasBucketKey = hasFile || config.ossAccessKeyId !== undefined;
  return {
    accounts: readConfigured(config) ?? own,
    ...(hasBucketKey && { bucketKey: resolveBucketKeys(config, readCredentials).current }),
  };
}

function simpleKey({
  accessKeyId: id,
  accessKeySecret: secret,
}: Config): { id: string; secret: string } | undefined {
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}
