import { z } from 'zod';
import type { UploadGrant } from '../../src/client/api-client.ts';
import { formFields } from '../../src/client/post-object.ts';
import { FETCH } from './form-dialects.ts';
import type { SdkCaller, SdkClient, SdkParameters } from './sdk-clients.ts';

const grantResponse = z.object({
  Data: z.object({
    Key: z.string(),
    Host: z.string(),
    Policy: z.string(),
    OSSAccessKeyId: z.string(),
    Signature: z.string(),
    FirmwareUrl: z.string(),
  }),
});
const packageResponse = z.object({ Data: z.object({ FirmwareId: z.string() }) });
const queryResponse = z.object({ FirmwareInfo: z.object({ FirmwareUrl: z.string() }) });

/** Calls GenerateOTAUploadURL. @returns the grant */
export async function signForm(
  sdk: SdkClient,
  caller: SdkCaller,
  parameters: SdkParameters = {},
): Promise<UploadGrant> {
  const { Data } = grantResponse.parse(await sdk.call(caller, 'GenerateOTAUploadURL', parameters));
  return {
    key: Data.Key,
    host: Data.Host,
    policy: Data.Policy,
    accessKeyId: Data.OSSAccessKeyId,
    signature: Data.Signature,
    firmwareUrl: Data.FirmwareUrl,
  };
}

/** Gets a grant, and posts a file with it. @returns the FirmwareUrl */
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
  const response = await sdk.call(caller, 'CreateOTAFirmware', parameters);
  return packageResponse.parse(response, { error: () => JSON.stringify(response) }).Data.FirmwareId;
}

/** Calls QueryOTAFirmware for a package of one file. @returns the signed URL of the file */
export async function downloadUrl(
  sdk: SdkClient,
  caller: SdkCaller,
  firmwareId: string,
): Promise<string> {
  const response = await sdk.call(caller, 'QueryOTAFirmware', { FirmwareId: firmwareId });
  return queryResponse.parse(response).FirmwareInfo.FirmwareUrl;
}
