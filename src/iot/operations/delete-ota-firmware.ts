import { deletePackage } from '../../uploads/change-package.ts';
import { businessError } from '../errors.ts';
import { required } from '../parameters/parameter.ts';
import { FIRMWARE_ID } from '../parameters/rules.ts';
import { INSTANCE_ID, findPackage } from './instance.ts';
import type { Operation } from './operation.ts';

const firmwareId = required(
  'FirmwareId',
  'The firmware package to delete.',
  FIRMWARE_ID,
  'iot.firmware.NullFirmwareId',
);

/** IoT Platform, "DeleteOTAFirmware". */
export const deleteOtaFirmware: Operation = {
  name: 'DeleteOTAFirmware',
  summary: 'Deletes a firmware package and its files.',
  perSecond: 10,
  parameters: [firmwareId, INSTANCE_ID],
  run: async (context, given) => {
    const { record, requestId, uploads } = context;
    const id = firmwareId.read(given);
    const found = await findPackage(context, id);
    record.keys = found?.files.map(({ key }) => key) ?? [];
    const isDeleted = found !== undefined && (await deletePackage(uploads, found, requestId));
    if (!isDeleted) throw businessError('iot.firmware.FirmwareNotFound', { firmwareId: id });
    record.from = 'claimed';
    record.to = 'purging';
    return { RequestId: requestId, Success: true };
  },
};
