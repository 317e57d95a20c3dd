import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
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
import { reach } from '../network-failure.ts';
import { progressBar } from '../output.ts';
import { describeRefusal } from '../upload-refusal.ts';

/** The options of `ota-gateway upload`. */
export interface UploadCommand {
  readonly name: string;
  readonly version: string;
  readonly endpoint: string;
  readonly dataDir: string;
  readonly suffix: string;
  readonly accessKeyId?: string | undefined;
  readonly accessKeySecret?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly productKey?: string | undefined;
}

/** Uploads a file to a running gateway as any client does: signs, posts the file, claims it, and prints id and URLs. */
export async function upload(path: string, command: UploadCommand): Promise<void> {
  const size = await sizeOfFile(path);
  const { endpoint } = command;
  const api = apiClient(command);
  const instance = command.instanceId === undefined ? {} : { IotInstanceId: command.instanceId };
  const grant = await reach(endpoint, () =>
    generateOTAUploadURL(api, { FileSuffix: command.suffix, ...instance }),
  );
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
  };
}
