import type { FirmwarePackage, PackageFile, SignMethod } from '../uploads/firmware-package.ts';

/**
 * The message that the platform publishes on `/ota/device/upgrade/${ProductKey}/${DeviceName}` to make a device install
 * a firmware package (IoT Platform, "Perform OTA updates").
 */
export interface UpgradeMessage {
  readonly code: '1000';
  readonly message: 'success';
  /** The time of the push, Unix milliseconds. */
  readonly id: number;
  readonly data: UpgradeData;
}

/** The description of a package for a device. It has either the members of one file, or `files`. */
export interface UpgradeData extends Partial<SingleFile> {
  readonly version: string;
  /** Only for a differential package. */
  readonly isDiff?: 1;
  readonly signMethod: SignMethod;
  /** Only for a module other than the default one. */
  readonly module?: string;
  readonly files?: UpgradeFile[];
  readonly extData?: { readonly _package_udi: string };
}

interface SingleFile {
  readonly size: number;
  readonly url: string;
  /** Only when `signMethod` is MD5; then it equals `sign`. */
  readonly md5: string;
  readonly sign: string;
}

/** One file of a package that has several. */
export interface UpgradeFile {
  readonly fileSize: number;
  readonly fileName: string;
  readonly fileUrl: string;
  readonly fileMd5: string;
  readonly fileSign: string;
}

/** What a message needs beside the package. */
export interface UpgradePush {
  /** Unix milliseconds. */
  readonly at: number;
  /** @returns the URL that downloads the object of a key */
  readonly urlOf: (key: string) => string;
}

const DEFAULT_MODULE = 'default';

/** Makes the message that the platform would push to a device for a firmware package. */
export function upgradeMessage(firmware: FirmwarePackage, push: UpgradePush): UpgradeMessage {
  const [first] = firmware.files;
  const single = first !== undefined && first.name === undefined ? first : undefined;
  const { signMethod, udi } = firmware;
  return {
    code: '1000',
    message: 'success',
    id: push.at,
    data: {
      ...(single !== undefined && { size: single.size }),
      version: firmware.destVersion,
      ...(firmware.differential && { isDiff: 1 }),
      ...(single !== undefined && {
        url: push.urlOf(single.key),
        ...(signMethod === 'MD5' && { md5: single.sign }),
        sign: single.sign,
      }),
      signMethod,
      ...(single === undefined && { files: firmware.files.map((file) => describe(file, push)) }),
      ...(firmware.moduleName !== DEFAULT_MODULE && { module: firmware.moduleName }),
      ...(udi !== undefined && { extData: { _package_udi: udi } }),
    },
  };
}

function describe(
  { key, md5, name = '', sign, size }: PackageFile,
  push: UpgradePush,
): UpgradeFile {
  return {
    fileSize: size,
    fileName: name,
    fileUrl: push.urlOf(key),
    fileMd5: md5,
    fileSign: sign,
  };
}
