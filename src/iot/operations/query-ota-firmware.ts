import { DOWNLOAD_URL_TTL, downloadUrl } from '../../signatures/download-url.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import { businessError } from '../errors.ts';
import { required } from '../parameters/parameter.ts';
import { FIRMWARE_ID } from '../parameters/rules.ts';
import type { ResponseBody } from '../render.ts';
import { toUtc } from '../../lib/dates.ts';
import { INSTANCE_ID, findPackage } from './instance.ts';
import type { CallContext, Operation } from './operation.ts';
import { productName } from './product.ts';

const firmwareId = required(
  'FirmwareId',
  'The firmware package.',
  FIRMWARE_ID,
  'iot.firmware.NullFirmwareId',
);

/** IoT Platform, "QueryOTAFirmware". */
export const queryOtaFirmware: Operation = {
  name: 'QueryOTAFirmware',
  summary: 'Returns a firmware package, with URLs to download its files.',
  perSecond: 20,
  parameters: [firmwareId, INSTANCE_ID],
  run: async (context, given) => {
    const id = firmwareId.read(given);
    const found = await findPackage(context, id);
    if (found === undefined) {
      throw businessError('iot.firmware.FirmwareNotFound', { firmwareId: id });
    }
    return {
      RequestId: context.requestId,
      FirmwareInfo: describePackage(context, found),
      Success: true,
    };
  },
};

/**
 * A text that was never given is empty, like SrcVersion in the sample of the page. Udi is not in that
 * sample, and is left out when it was never given.
 */
function describePackage(context: CallContext, found: FirmwarePackage): ResponseBody {
  const [first] = found.files;
  const single = first !== undefined && first.name === undefined ? first : undefined;
  return {
    SrcVersion: sourceVersion(found),
    ...(single !== undefined && { FirmwareSign: single.sign }),
    ProductKey: found.productKey ?? '',
    Type: found.differential ? 1 : 0,
    UtcModified: toUtc(found.modifiedAt),
    SignMethod: found.signMethod,
    UtcCreate: toUtc(found.createdAt),
    ...(single !== undefined && { FirmwareSize: single.size }),
    Status: found.status,
    FirmwareId: found.id,
    FirmwareDesc: found.description ?? '',
    ...(single !== undefined && { FirmwareUrl: urlOf(context, single.key) }),
    DestVersion: found.destVersion,
    ProductName: productName(context.account, found.productKey),
    FirmwareName: found.name,
    ModuleName: found.moduleName,
    VerifyProgress: found.verifyProgress,
    ...(found.udi !== undefined && { Udi: found.udi }),
    ...(single === undefined && { MultiFiles: describeFiles(context, found) }),
  };
}

/** Only a differential package returns it (IoT Platform, "QueryOTAFirmware"); a full one may have been created with it. */
function sourceVersion({ differential, srcVersion = '' }: FirmwarePackage): string {
  return differential ? srcVersion : '';
}

function describeFiles(context: CallContext, { files }: FirmwarePackage): ResponseBody[] {
  return files.map(({ key, md5, name, sign, size }) => ({
    Name: name ?? '',
    Size: size,
    Url: urlOf(context, key),
    SignValue: sign,
    FileMd5: md5,
  }));
}

function urlOf({ bucketKey, host, uploads }: CallContext, key: string): string {
  const { clock, rules } = uploads;
  return downloadUrl(
    bucketKey,
    { host, bucket: rules.bucket, key },
    clock.now() + DOWNLOAD_URL_TTL,
  );
}
