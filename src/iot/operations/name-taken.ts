import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import { businessError } from '../errors.ts';
import type { BusinessError } from '../errors.ts';

/**
 * Makes the refusal of a name that another package of the account has.
 * @param holder - that package, which the story names; undefined when it is gone
 */
export function nameTaken(
  name: string,
  holder: Pick<FirmwarePackage, 'id' | 'destVersion'> | undefined,
): BusinessError {
  const facts = holder && { FirmwareId: holder.id, DestVersion: holder.destVersion };
  return businessError('iot.firmware.AlreadyExistedFirmwareName', { name }, undefined, facts);
}
