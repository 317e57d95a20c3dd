import { modifyPackage } from '../../uploads/change-package.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import { businessError } from '../errors.ts';
import type { BusinessError } from '../errors.ts';
import { changedName } from '../parameters/firmware-name.ts';
import { change, required } from '../parameters/parameter.ts';
import { DESCRIPTION, FIRMWARE_ID, PRODUCT_KEY, UDI } from '../parameters/rules.ts';
import { INSTANCE_ID, findPackage } from './instance.ts';
import { nameTaken } from './name-taken.ts';
import type { Operation } from './operation.ts';

const firmwareId = required(
  'FirmwareId',
  'The firmware package to change.',
  FIRMWARE_ID,
  'iot.firmware.NullFirmwareId',
);

const productKey = required(
  'ProductKey',
  'The product of the firmware package.',
  PRODUCT_KEY,
  'iot.prod.NullProductKey',
);

const description = change('FirmwareDesc', 'A new description; empty removes it.', DESCRIPTION);
const udi = change('FirmwareUdi', 'A new text for the device; empty removes it.', UDI);

/** IoT Platform, "ModifyOTAFirmware". */
export const modifyOtaFirmware: Operation = {
  name: 'ModifyOTAFirmware',
  summary: 'Changes the name, the description or the text for the device of a firmware package.',
  perSecond: 5,
  parameters: [firmwareId, productKey, changedName, description, udi, INSTANCE_ID],
  run: async (context, given) => {
    const { account, record, uploads } = context;
    const id = firmwareId.read(given);
    const product = productKey.read(given);
    const wanted = {
      name: changedName.read(given),
      description: description.read(given),
      udi: udi.read(given),
    };
    const found = await findPackage(context, id);
    record.keys = found?.files.map(({ key }) => key) ?? [];
    checkProductKey(found, id, product);
    const target = { accountId: account.id, id };
    const outcome = await modifyPackage(uploads, target, {
      ...(wanted.name !== undefined && { name: wanted.name }),
      ...(wanted.description !== undefined && { description: wanted.description }),
      ...(wanted.udi !== undefined && { udi: wanted.udi }),
    });
    if (outcome === 'notFound') throw notFound(id);
    if (outcome === 'nameTaken') {
      const { name = '' } = wanted;
      throw nameTaken(name, await uploads.ledger.findPackageByName(account.id, name));
    }
    record.from = 'claimed';
    record.to = 'claimed';
    return { RequestId: record.requestId, Success: true };
  },
};

/** Checks the product of a package. One that was made without a product may be changed under any product. */
function checkProductKey(found: FirmwarePackage | undefined, id: string, given: string): void {
  if (found === undefined) throw notFound(id);
  if (found.productKey === undefined || found.productKey === given) return;
  throw businessError('iot.firmware.FirmwareAndProductKeyMismatch', {
    firmwareId: id,
    expected: found.productKey,
    productKey: given,
  });
}

function notFound(firmwareId: string): BusinessError {
  return businessError('iot.ota.FirmwareNotFound', { firmwareId });
}
