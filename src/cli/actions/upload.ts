import { z } from 'zod';
import type { ApiClientOptions } from '../../client/api-client.ts';
import { createOtaClient } from '../../client/ota-client.ts';
import { quoted } from '../../lib/quoted.ts';
import { explainingCalls, withHint } from '../api-hints.ts';
import { CommandError, describeError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { claimPackage, requireFreeNames } from '../package-claim.ts';
import type { PackageWish, UploadedFile } from '../package-claim.ts';
import { sendFile } from '../send-file.ts';
import type { SendOptions } from '../send-file.ts';
import { parseFlags } from '../parse-flags.ts';
import { shellWord } from '../shell-word.ts';
import type { UploadResult, UploadedPackage } from '../shapes.ts';
import { planUpload } from '../upload-plan.ts';
import type { LocalFile, PlannedPackage } from '../upload-plan.ts';
import { untilInterrupted } from '../watch.ts';

const flags = z.looseObject({
  ...jsonFlag.shape,
  name: z.string(),
  version: z.string(),
  each: z.boolean().default(false),
  suffix: z.string().optional(),
  moduleName: z.string().optional(),
  instanceId: z.string().optional(),
  productKey: z.string().optional(),
});

/**
 * Uploads files to a running gateway as any client does: signs, posts each file, claims, and prints ids and URLs.
 * Several files are one package, unless `each` is given.
 */
export async function upload(paths: readonly string[], given: unknown): Promise<void> {
  const parsed = parseFlags(flags, given);
  const { each, instanceId, json, moduleName, name, productKey, suffix, version, ...rest } = parsed;
  const desk = openDesk(rest);
  const packages = await planUpload(paths, { name, version, each, suffix });
  // Before anything is asked of the network.
  desk.clientFor('http://localhost');
  const { url } = await desk.findGateway();
  const api = desk.clientFor(url);
  const wish = { moduleName, productKey, instanceId };
  const names = packages.map((planned) => planned.name);
  await explainingCalls(() => requireFreeNames(api, names, instanceId));
  const done: UploadedPackage[] = [];
  // With JSON, standard error is for errors only; a person still sees the bar.
  const sending = { isQuiet: json && !process.stderr.isTTY, signal: untilInterrupted() };
  for (const planned of packages) {
    const each = { ...wish, name: planned.name, version };
    done.push(await makePackage(api, planned, each, sending));
  }
  const result: UploadResult = { packages: done };
  if (json) printJson(result);
  else print(done.map(describe).join('\n'));
}

async function makePackage(
  api: ApiClientOptions,
  { files }: PlannedPackage,
  wish: PackageWish,
  sending: Pick<SendOptions, 'isQuiet' | 'signal'>,
): Promise<UploadedPackage> {
  const options = { ...sending, parameters: { IotInstanceId: wish.instanceId } };
  const uploaded: (UploadedFile & { readonly key: string; readonly size: number })[] = [];
  for (const file of files) {
    const sent = explainingCalls(() => sendFile(api, file, options)).catch((error: unknown) => {
      throw sending.signal.aborted ? stopped(file, uploaded, wish) : error;
    });
    const { firmwareUrl, key } = await sent;
    uploaded.push({ name: file.name, size: file.size, key, firmwareUrl });
  }
  const firmwareId = await claimPackage(api, wish, uploaded).catch((error: unknown) => {
    throw unclaimed(withHint(error), uploaded, wish);
  });
  const downloads = await explainingCalls(() => downloadUrls(api, firmwareId, wish.instanceId));
  return {
    firmwareId,
    name: wish.name,
    version: wish.version,
    files: uploaded.map((file, index) => ({ ...file, downloadUrl: downloads[index] ?? '' })),
  };
}

/** The error after Ctrl+C. */
function stopped(
  { name }: LocalFile,
  files: readonly { readonly key: string }[],
  wish: PackageWish,
): CommandError {
  const message = `stopped before ${quoted(name)} was sent: nothing of it is stored, and no package was made`;
  const error = new CommandError('Stopped', message, 'Run the command again');
  return files.length === 0 ? error : unclaimed(error, files, wish);
}

/** Adds to an error how to claim the files, which are not sent again. */
function unclaimed(
  error: unknown,
  files: readonly { readonly key: string }[],
  { name, version }: PackageWish,
): CommandError {
  const { code, hint, message } = describeError(error);
  const keys = files.map(({ key }) => shellWord(key)).join(' ');
  const claim = `ota-gateway claim ${keys} --name ${shellWord(name)} --version ${shellWord(version)}`;
  const what = files.length === 1 ? 'The upload is' : 'The uploads are';
  const again = `${what} stored until the purge; to claim: ${claim}`;
  const advice = hint === undefined ? again : `${hint}. ${again}`;
  return new CommandError(code, message, advice, { cause: error });
}

async function downloadUrls(
  api: ApiClientOptions,
  firmwareId: string,
  iotInstanceId: string | undefined,
): Promise<readonly string[]> {
  const found = await createOtaClient(api).queryOTAFirmware({ firmwareId, iotInstanceId });
  return found.multiFiles?.map(({ url }) => url) ?? [found.firmwareUrl ?? ''];
}

function describe({ files, firmwareId }: UploadedPackage): string {
  const lines = [
    `FirmwareId   ${firmwareId}`,
    ...files.map(({ firmwareUrl }) => `FirmwareUrl  ${firmwareUrl}`),
    ...files.map(({ downloadUrl }) => `Download     ${downloadUrl}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
