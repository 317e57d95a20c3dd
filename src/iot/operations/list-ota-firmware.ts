import type { Account } from '../../accounts/accounts.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import { optional, required } from '../parameters/parameter.ts';
import { DEST_VERSION, PRODUCT_KEY, integer } from '../parameters/rules.ts';
import type { ResponseBody } from '../render.ts';
import { toUtc } from '../../lib/dates.ts';
import { INSTANCE_ID } from './instance.ts';
import type { Operation } from './operation.ts';
import { checkProduct, productName } from './product.ts';

const MAX_PAGE = 2 ** 31 - 1;

const currentPage = required(
  'CurrentPage',
  'The page to show.',
  integer([1, MAX_PAGE], `an integer from 1 to ${MAX_PAGE}`, 'iot.common.InvalidPageParams'),
);

const pageSize = required(
  'PageSize',
  'The number of firmware packages on a page.',
  integer([1, 100], 'an integer from 1 to 100', 'iot.common.InvalidPageParams'),
);

const productKey = optional('ProductKey', 'Shows only packages of this product.', PRODUCT_KEY);
const destVersion = optional('DestVersion', 'Shows only packages of this version.', DEST_VERSION);

/** IoT Platform, "ListOTAFirmware". */
export const listOtaFirmware: Operation = {
  name: 'ListOTAFirmware',
  summary: 'Lists firmware packages, newest first.',
  perSecond: 10,
  parameters: [currentPage, pageSize, productKey, destVersion, INSTANCE_ID],
  run: async ({ account, instanceId, requestId, uploads }, given) => {
    const page = currentPage.read(given);
    const size = pageSize.read(given);
    const product = productKey.read(given);
    const version = destVersion.read(given);
    checkProduct(account, product);
    const { packages, total } = await uploads.ledger.listPackages({
      accountId: account.id,
      ...(instanceId !== undefined && { instanceId }),
      ...(product !== undefined && { productKey: product }),
      ...(version !== undefined && { destVersion: version }),
      offset: (page - 1) * size,
      limit: size,
    });
    return {
      PageCount: Math.ceil(total / size),
      PageSize: size,
      RequestId: requestId,
      FirmwareInfo: {
        SimpleFirmwareInfo: packages.map((each) => summarize(account, each)),
      },
      CurrentPage: page,
      Success: true,
      Total: total,
    };
  },
};

function summarize(account: Account, each: FirmwarePackage): ResponseBody {
  const [first] = each.files;
  const single = first !== undefined && first.name === undefined ? first : undefined;
  return {
    FirmwareId: each.id,
    FirmwareName: each.name,
    FirmwareDesc: each.description ?? '',
    ...(single !== undefined && { FirmwareSign: single.sign, FirmwareSize: single.size }),
    DestVersion: each.destVersion,
    SrcVersion: each.srcVersion ?? '',
    ModuleName: each.moduleName,
    ProductKey: each.productKey ?? '',
    ProductName: productName(account, each.productKey),
    SignMethod: each.signMethod,
    Status: each.status,
    Type: each.differential ? 1 : 0,
    UtcCreate: toUtc(each.createdAt),
    UtcModified: toUtc(each.modifiedAt),
  };
}
