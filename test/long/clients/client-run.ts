import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileCase } from './cases.ts';
import { arrivingName } from './clients.ts';
import type { HttpClient } from './clients.ts';
import type { GetJob, Job, Outcome } from './jobs.ts';
import { uploadByGrant, uploadToFolder } from './uploads.ts';
import type { Site, Upload } from './uploads.ts';

/** What a client posts and downloads. */
export interface Tasks {
  /** Files for forms of GenerateOTAUploadURL. */
  readonly files: readonly FileCase[];
  /** Files for a form whose key ends in `${filename}`. */
  readonly expanded: readonly FileCase[];
  /** A file for a form whose signature is wrong. */
  readonly refused: FileCase;
  readonly download: { readonly url: string; readonly bytes: Buffer };
}

/** The jobs of a client, after it has done them. */
export interface ClientRun {
  readonly refused: Upload;
  /** A download, and one that continues another in the middle. */
  readonly whole: GetJob;
  readonly resumed: GetJob;
  uploadOf(file: FileCase): Upload;
  outcomeOf(job: Job): Outcome;
}

const WRONG_SIGNATURE = { signature: `${'A'.repeat(27)}=` };

/** Lets a client do all its tasks. */
export async function runClient(client: HttpClient, site: Site, tasks: Tasks): Promise<ClientRun> {
  const uploads = await planUploads(client, site, tasks);
  const refused = await uploadByGrant(site, tasks.refused, WRONG_SIGNATURE);
  const { whole, resumed } = await planDownloads(client, site, tasks);
  const jobs = [...uploads.values(), refused].map(({ job }): Job => job).concat(whole, resumed);
  const outcomes = await client.run(jobs, site.folder);
  return {
    refused,
    whole,
    resumed,
    uploadOf: (file) => defined(uploads.get(file)),
    outcomeOf: (job) => defined(outcomes[jobs.indexOf(job)]),
  };
}

async function planUploads(
  client: HttpClient,
  site: Site,
  { expanded, files }: Tasks,
): Promise<Map<FileCase, Upload>> {
  const uploads = new Map<FileCase, Upload>();
  for (const file of files) uploads.set(file, await uploadByGrant(site, file));
  for (const file of expanded) {
    const arriving = defined(arrivingName(client.nameStyle, file.filename));
    uploads.set(file, uploadToFolder(site, file, `${client.name}/`, arriving));
  }
  return uploads;
}

async function planDownloads(
  client: HttpClient,
  { folder }: Site,
  { download: { bytes, url } }: Tasks,
): Promise<{ whole: GetJob; resumed: GetJob }> {
  const from = Math.floor(bytes.length / 2);
  const interrupted = join(folder, `${client.name} resumed`);
  await writeFile(interrupted, bytes.subarray(0, from));
  return {
    whole: { act: 'get', url, out: join(folder, `${client.name} whole`), from: 0 },
    resumed: { act: 'get', url, out: interrupted, from },
  };
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the client has not done this');
  return value;
}
