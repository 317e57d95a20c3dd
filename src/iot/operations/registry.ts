import { createOtaFirmware } from './create-ota-firmware.ts';
import { deleteOtaFirmware } from './delete-ota-firmware.ts';
import { generateOtaUploadUrl } from './generate-ota-upload-url.ts';
import { listOtaFirmware } from './list-ota-firmware.ts';
import { modifyOtaFirmware } from './modify-ota-firmware.ts';
import type { Operation } from './operation.ts';
import { queryOtaFirmware } from './query-ota-firmware.ts';

/** All operations. To add one, write its file and add a line here. */
export const OPERATIONS: readonly Operation[] = [
  generateOtaUploadUrl,
  createOtaFirmware,
  queryOtaFirmware,
  listOtaFirmware,
  modifyOtaFirmware,
  deleteOtaFirmware,
];

/** @returns the operation of an `Action`, whose name is case-sensitive */
export function findOperation(action: string): Operation | undefined {
  return OPERATIONS.find(({ name }) => name === action);
}
