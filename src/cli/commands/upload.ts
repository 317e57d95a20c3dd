import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { readCredentials } from '../../accounts/credentials-file.ts';
import {
  createOTAFirmware,
  generateOTAUploadURL,
  queryDownloadUrl,
} from '../../client/api-client.ts';
import type { ApiClientOptions } from '../../client/api-client.ts';
import { formFields, postObject } from '../../client/post-object.ts';
import { wallClock } from '../../lib/clock.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { randomIds } from '../../lib/ids.ts';
import { readVariables } from '../environment.ts';
import { reach } from '../network-failure.ts';
import { progressBar } from '../output.ts';
import { ENV_FILE, parseFlags } from '../setting-flags.ts';
import { describeRefusal } from '../upload-refusal.ts';

const uploadFlags = z.object({
  name: z.string(),
  version: z.string(),
  endpoint: z.url(),
  dataDir: z.string(),
  suffix: z.string(),
  accessKeyId: z.string().optional(),
  accessKeySecret: z.string().optional(),
  instanceId: z.string().optional(),
  productKey: z.string().optional(),
  envFile: z.string().optional(),
});

type UploadCommand = Omit<z.infer<typeof uploadFlags>, 'envFile'>;

/** Configures `ota-gateway upload`. */
export function configure(command: Command): void {
  command
    .requiredOption('--name <name>', 'FirmwareName')
    .requiredOption('--version <version>', 'DestVersion')
    .option('--endpoint <url>', 'the gateway', 'http://127.0.0.1:9070')
    .option('--data-dir <folder>', 'where the gateway keeps credentials.json', './storage')
    .option('--suffix <suffix>', 'FileSuffix', 'bin')
    .option('--access-key-id <id>', 'instead of credentials.json (OTA_GATEWAY_ACCESS_KEY_ID)')
    .option(
      '--access-key-secret <secret>',
      'instead of credentials.json (OTA_GATEWAY_ACCESS_KEY_SECRET)',
    )
    .option(...ENV_FILE)
    .option('--instance-id <id>', 'IotInstanceId')
    .option('--product-key <key>', 'ProductKey')
    .action((file: string, flags: unknown) => {
      const { envFile, ...given } = parseFlags(uploadFlags, flags);
      const {
        OTA_GATEWAY_ACCESS_KEY_ID: accessKeyId,
        OTA_GATEWAY_ACCESS_KEY_SECRET: accessKeySecret,
      } = readVariables(process.env, envFile);
      return upload(file, { accessKeyId, accessKeySecret, ...given });
    });
}

/** Uploads a file to a running gateway as any client does: signs, posts the file, claims it, and prints id and URLs. */
async function upload(path: string, command: UploadCommand): Promise<void> {
  const size = await sizeOfFile(path);
  const api = apiClient(command);
  const instance = command.instanceId === undefined ? {} : { IotInstanceId: command.instanceId };
  const grant = await generateOTAUploadURL(api, { FileSuffix: command.suffix, ...instance });
  const bar = progressBar(process.stderr, basename(path), size);
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  const file = { name: basename(path), size, bytes };
  const response = await reach(grant.host, () =>
    postObject(grant.host, formFields(grant), file, { onProgress: bar.update }),
  ).finally(bar.end);
  if (response.status !== 200) throw new Error(describeRefusal(response));
  const id = await createOTAFirmware(api, {
    FirmwareName: command.name,
    DestVersion: command.version,
    FirmwareUrl: grant.firmwareUrl,
    FirmwareSize: size,
    ProductKey: command.productKey,
    ...instance,
  });
  process.stdout.write(`FirmwareId   ${id}\n`);
  process.stdout.write(`FirmwareUrl  ${grant.firmwareUrl}\n`);
  process.stdout.write(
    `Download     ${await queryDownloadUrl(api, { FirmwareId: id, ...instance })}\n`,
  );
}

/** @throws an Error that says what the path is instead of a file */
async function sizeOfFile(path: string): Promise<number> {
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT'))
      throw new Error(`${path} does not exist. Check the path of the file`, { cause: error });
    if (hasErrorCode(error, 'EACCES'))
      throw new Error(`${path} cannot be read by this user. Check its owner and mode`, {
        cause: error,
      });
    throw error;
  }
  throw new Error(`${path} is not a file. Pack a folder into one file, for example with tar`);
}

function apiClient(command: UploadCommand): ApiClientOptions {
  const { accessKeyId, accessKeySecret, dataDir, endpoint } = command;
  const key =
    accessKeyId !== undefined && accessKeySecret !== undefined
      ? { id: accessKeyId, secret: accessKeySecret }
      : readCredentials(dataDir).account;
  return {
    endpoint,
    accessKeyId: key.id,
    accessKeySecret: key.secret,
    clock: wallClock,
    nonce: () => randomIds.apiRequest(),
    fetch: (url, init) => reach(endpoint, () => fetch(url, init)),
  };
}
