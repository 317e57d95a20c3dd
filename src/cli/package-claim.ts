import { createOTAFirmware } from '../client/api-client.ts';
import type { ApiClientOptions, ApiParameters } from '../client/api-client.ts';
import { createOtaClient } from '../client/ota-client.ts';
import { CommandError } from './command-error.ts';
import { quoted } from '../lib/quoted.ts';

/** An uploaded file, for a package. */
export interface UploadedFile {
  /** Its name in a package of several files. */
  readonly name: string;
  readonly firmwareUrl: string;
  /** In bytes; undefined when not known. */
  readonly size?: number | undefined;
}

/** The parameters of a package beside its files. */
export interface PackageWish {
  readonly name: string;
  readonly version: string;
  readonly moduleName?: string | undefined;
  readonly productKey?: string | undefined;
  readonly instanceId?: string | undefined;
}

/** Claims files for a firmware package: one as FirmwareUrl, several as MultiFiles. @returns its FirmwareId */
export function claimPackage(
  api: ApiClientOptions,
  wish: PackageWish,
  files: readonly UploadedFile[],
): Promise<string> {
  return createOTAFirmware(api, {
    FirmwareName: wish.name,
    DestVersion: wish.version,
    ModuleName: wish.moduleName,
    ProductKey: wish.productKey,
    IotInstanceId: wish.instanceId,
    ...parametersOf(files),
  });
}

function parametersOf(files: readonly UploadedFile[]): ApiParameters {
  const [first, ...others] = files;
  if (others.length === 0) return { FirmwareUrl: first?.firmwareUrl, FirmwareSize: first?.size };
  const parameters: Record<string, string | number | undefined> = {};
  for (const [index, { firmwareUrl, name, size }] of files.entries()) {
    const prefix = `MultiFiles.${String(index + 1)}.`;
    parameters[`${prefix}Name`] = name;
    parameters[`${prefix}Url`] = firmwareUrl;
    parameters[`${prefix}Size`] = size;
  }
  return parameters;
}

/**
 * Checks that no package has one of the names, because CreateOTAFirmware refuses them after the files were sent.
 * @throws CommandError that names the package
 */
export async function requireFreeNames(
  api: ApiClientOptions,
  names: readonly string[],
  instanceId: string | undefined,
): Promise<void> {
  const client = createOtaClient(api);
  for (let currentPage = 1, pageCount = 1; currentPage <= pageCount; currentPage++) {
    const page = await client.listOTAFirmware({ currentPage, iotInstanceId: instanceId });
    pageCount = page.pageCount;
    const taken = page.firmwareInfo.find(({ firmwareName }) => names.includes(firmwareName));
    if (taken === undefined) continue;
    throw new CommandError(
      'iot.firmware.AlreadyExistedFirmwareName',
      `a firmware package named ${quoted(taken.firmwareName)} exists already (version ${taken.destVersion}, FirmwareId ${taken.firmwareId})`,
      'Choose another --name, or remove the package with `ota-gateway rm`. Nothing was sent',
    );
  }
}
