import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formFields } from '../../../src/client/post-object.ts';
import { signPostV1 } from '../../../src/signatures/post.ts';
import { BUCKET_KEY } from '../../support/built-gateway.ts';
import { md5Hex } from '../../support/bytes.ts';
import { grantFrom } from '../../support/loop.ts';
import { signUrlV1 } from '../../support/signed-url.ts';
import type { FileCase } from './cases.ts';
import type { PostJob } from './jobs.ts';

const BUCKET = 'iotx-ota';
const VALID_MS = 10 * 60_000;

/** A post that a client will make, and what must be stored then. */
export interface Upload {
  readonly file: FileCase;
  readonly key: string;
  readonly job: PostJob;
}

/** The gateway to post to, and the folder of the files to post. */
export interface Site {
  readonly url: string;
  readonly folder: string;
}

/** The name on disk differs from the one in the form, which is given separately. */
const pathOf = (folder: string, { bytes }: FileCase): string =>
  join(folder, `${md5Hex(bytes)}.bin`);

/** Writes the bytes of all files to the disk. */
export async function writeFiles(folder: string, files: readonly FileCase[]): Promise<void> {
  for (const file of files) await writeFile(pathOf(folder, file), file.bytes);
}

/** Plans an upload with the form of GenerateOTAUploadURL. @param change - replaces fields */
export async function uploadByGrant(
  { folder, url }: Site,
  file: FileCase,
  change: Readonly<Record<string, string>> = {},
): Promise<Upload> {
  const grant = await grantFrom(url);
  const fields = [...new Map([...formFields(grant), ...Object.entries(change)])];
  return { file, key: grant.key, job: postJob(grant.host, fields, file, folder) };
}

/**
 * Plans an upload with a form that the owner of the bucket has signed for a folder; its key ends in `${filename}`.
 * @param arriving - what the gateway puts there
 */
export function uploadToFolder(
  { folder, url }: Site,
  file: FileCase,
  prefix: string,
  arriving: string,
): Upload {
  const document = {
    expiration: new Date(Date.now() + VALID_MS).toISOString(),
    conditions: [{ bucket: BUCKET }, ['starts-with', '$key', prefix]],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString('base64');
  const fields = [
    ['key', `${prefix}\${filename}`],
    ['policy', policy],
    ['OSSAccessKeyId', BUCKET_KEY.id],
    ['Signature', signPostV1(BUCKET_KEY.secret, policy)],
    ['success_action_status', '200'],
  ] as const;
  return { file, key: prefix + arriving, job: postJob(`${url}/`, fields, file, folder) };
}

function postJob(url: string, fields: PostJob['fields'], file: FileCase, folder: string): PostJob {
  const { filename, how } = file;
  return { act: 'post', url, fields, path: pathOf(folder, file), filename, how };
}

/** @returns the bytes of an object, or the status of the refusal */
export async function readBack(url: string, key: string): Promise<Buffer | number> {
  const query = signUrlV1({
    accessKeyId: BUCKET_KEY.id,
    secret: BUCKET_KEY.secret,
    bucket: BUCKET,
    key,
    method: 'GET',
    expires: Math.floor((Date.now() + VALID_MS) / 1000),
  });
  const path = key.split('/').map(encodeURIComponent).join('/');
  const response = await fetch(`${url}/${path}?${String(new URLSearchParams(query))}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.status === 200 ? bytes : response.status;
}
