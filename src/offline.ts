import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { ConfigError } from './config.ts';
import { readCredentials } from './credentials.ts';
import { accountIds, resolveBucketKey } from './keys.ts';
import { LEDGER_FILE, openLedgerDatabase } from './ledger/database.ts';
import { SqliteLedger } from './ledger/sqlite-ledger.ts';
import type { UploadLedger } from './ports.ts';
import { serverUrl } from './request-host.ts';
import { downloadUrl } from './signatures/download-url.ts';
import type { FirmwarePackage } from './uploads/firmware-package.ts';

/* What commands say with it. */
export { quoted, quotedJson } from './uploads/quoted.ts';
export { upgradeMessage } from './uploads/upgrade-message.ts';

/** A data folder without its gateway: for commands, beside the server that may be using it. */
export interface Offline extends AsyncDisposable {
  readonly ledger: UploadLedger;
  /** Finds a firmware package, whatever account it belongs to. */
  findPackage(firmwareId: string): Promise<FirmwarePackage | undefined>;
  /**
   * Signs the download of an object, be it there or not.
   * @param expiresAt - Unix milliseconds
   * @throws ConfigError when the settings do not tell the address of the gateway; an Error when they do not
   *   tell the bucket key
   */
  downloadUrl(key: string, expiresAt: number): string;
}

/**
 * Opens a data folder without taking it from its server.
 * @throws when no gateway has run there yet
 */
export function openOffline(config: Config): Offline {
  if (!existsSync(join(config.dataDir, LEDGER_FILE))) {
    throw new Error(`${config.dataDir} is not the data folder of a gateway: it holds no ledger`);
  }
  const ledger = new SqliteLedger(openLedgerDatabase(config.dataDir));
  return {
    ledger,
    findPackage: async (firmwareId) => {
      for (const accountId of accountIds(config)) {
        const found = await ledger.findPackage(accountId, firmwareId);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    downloadUrl: (key, expiresAt) => {
      // Made up keys would sign nothing that the server accepts.
      const bucketKey = resolveBucketKey(config, readCredentials);
      const address = { host: publicHost(config), bucket: config.bucket, key };
      return downloadUrl(bucketKey, address, expiresAt);
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

const ANY_ADDRESS = ['0.0.0.0', '::'];

function publicHost({ host, port, publicUrl, tlsCert }: Config): string {
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0 || ANY_ADDRESS.includes(host)) {
    throw new ConfigError([
      `${host}:${port} is no address that a client can call: set the public URL`,
    ]);
  }
  return serverUrl({ isTls: tlsCert !== undefined, host, port });
}
