import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ApiClientOptions, UploadGrant } from '../../src/client/api-client.ts';
import {
  createOTAFirmware,
  generateOTAUploadURL,
  queryDownloadUrl,
} from '../../src/client/api-client.ts';
import type { PostResponse } from '../../src/client/post-object.ts';
import { formFields, postObject } from '../../src/client/post-object.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { ACCOUNT_KEY } from './built-gateway.ts';
import { outcomeOf } from './sdk-families.ts';

/** The gateway's own client, for tests that do not test the client. */
export function apiOf(url: string, key = ACCOUNT_KEY): ApiClientOptions {
  return {
    endpoint: url,
    accessKeyId: key.id,
    accessKeySecret: key.secret,
    clock: wallClock,
    nonce: randomUUID,
  };
}

/** @returns the code of a refusal, or `ok` */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  const outcome = await outcomeOf(call);
  return 'thrown' in outcome ? (outcome.thrown['code'] ?? outcome.thrown['message']) : 'ok';
}

/** Gets a grant. */
export function grantFrom(url: string): Promise<UploadGrant> {
  return generateOTAUploadURL(apiOf(url), { FileSuffix: 'bin' });
}

/** Posts bytes with the form of a grant, whose fields can be changed. */
export function post(
  grant: UploadGrant,
  bytes: Buffer,
  change: Readonly<Record<string, string>> = {},
): Promise<PostResponse> {
  const fields = new Map([...formFields(grant), ...Object.entries(change)]);
  const file = { name: 'firmware.bin', size: bytes.length, bytes: Readable.from([bytes]) };
  return postObject(grant.host, fields, file);
}

/** Claims an upload. @returns the id of the firmware package */
export function claim(url: string, grant: UploadGrant, name: string): Promise<string> {
  return createOTAFirmware(apiOf(url), {
    FirmwareName: name,
    DestVersion: '1.0.0',
    FirmwareUrl: grant.firmwareUrl,
  });
}

/** Downloads the file of a firmware package. */
export async function download(url: string, firmwareId: string): Promise<Buffer> {
  const response = await fetch(await queryDownloadUrl(apiOf(url), { FirmwareId: firmwareId }));
  if (response.status !== 200) throw new Error(`status ${String(response.status)}`);
  return Buffer.from(await response.arrayBuffer());
}
