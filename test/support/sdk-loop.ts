import { z } from 'zod';
import type { UploadGrant } from '../../src/client/api-client.ts';
import { formFields } from '../../src/client/post-object.ts';
import { FETCH } from './form-dialects.ts';
import type { SdkCaller, SdkClient, SdkParameters } from './sdk-clients.ts';

const grantAnswer = z.object({
  Data: z.object({
    Key: z.string(),
    Host: z.string(),
    Policy: z.string(),
    OSSAccessKeyId: z.string(),
    Signature: z.string(),
    FirmwareUrl: z.string(),
  }),
});
const packageAnswer = z.object({ Data: z.object({ FirmwareId: z.string() }) });
const queryAnswer = z.object({ FirmwareInfo: z.object({ FirmwareUrl: z.string() }) });

/** Has a form signed by GenerateOTAUploadURL. */
export async function signForm(
  sdk: SdkClient,
  caller: SdkCaller,
  parameters: SdkParameters = {},
): Promise<UploadGrant> {
  const { Data } = grantAnswer.parse(await sdk.call(caller, 'GenerateOTAUploadURL', parameters));
  return {
    key: Data.Key,
    host: Data.Host,
    policy: Data.Policy,
    accessKeyId: Data.OSSAccessKeyId,
    signature: Data.Signature,
    firmwareUrl: Data.FirmwareUrl,
  };
}

/** Has a form signed and posts a file with it. @returns the FirmwareUrl */
export async function uploadFile(
  sdk: SdkClient,
  caller: SdkCaller,
  bytes: Buffer,
  parameters: SdkParameters = {},
): Promise<string> {
  const grant = await signForm(sdk, caller, parameters);
  const form = { host: grant.host, fields: formFields(grant), bytes, folder: '' };
  const status = await FETCH.post(form);
  if (status !== 200) throw new Error(`the upload was answered with ${String(status)}`);
  return grant.firmwareUrl;
}

/** Calls CreateOTAFirmware. @returns the FirmwareId */
export async function createPackage(
  sdk: SdkClient,
  caller: SdkCaller,
  parameters: SdkParameters,
): Promise<string> {
  const answer = await sdk.call(caller, 'CreateOTAFirmware', parameters);
  return packageAnswer.parse(answer, { error: () => JSON.stringify(answer) }).Data.FirmwareId;
}

/** Calls QueryOTAFirmware for a package of one file. @returns its signed URL */
export async function downloadUrl(
  sdk: SdkClient,
  caller: SdkCaller,
  firmwareId: string,
): Promise<string> {
  const answer = await sdk.call(caller, 'QueryOTAFirmware', { FirmwareId: firmwareId });
  return queryAnswer.parse(answer).FirmwareInfo.FirmwareUrl;
}
