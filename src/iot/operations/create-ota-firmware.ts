import { claimUploads } from '../../uploads/claim.ts';
import type { ClaimRequest } from '../../uploads/claim.ts';
import { PACKAGE_STATUS } from '../../uploads/firmware-package.ts';
import type { SignMethod } from '../../uploads/firmware-package.ts';
import { findKnownKey } from '../../uploads/latest-upload.ts';
import { businessError } from '../errors.ts';
import type { ObjectHome } from '../parameters/firmware-url.ts';
import { newName } from '../parameters/firmware-name.ts';
import { FILE_PARAMETERS, readFiles } from '../parameters/package-files.ts';
import { defaulted, optional, required } from '../parameters/parameter.ts';
import type { Given, Rule } from '../parameters/parameter.ts';
import {
  DESCRIPTION,
  DEST_VERSION,
  PRODUCT_KEY,
  UDI,
  flag,
  oneOf,
  versionRule,
} from '../parameters/rules.ts';
import { toUtc } from '../../lib/dates.ts';
import { claimRefusal } from './claim-refusal.ts';
import { INSTANCE_ID } from './instance.ts';
import { nameTaken } from './name-taken.ts';
import type { Operation } from './operation.ts';
import { checkProduct } from './product.ts';

/** How long a claim waits for a SHA-256, in milliseconds: @alicloud/pop-core gives up after three seconds. */
const DIGEST_TIMEOUT_MS = 2000;

const DEFAULT_MODULE = 'default';

/** Module names are compared without regard to case, so that the default one is told by any spelling. */
const moduleNameRule: Rule<string> = {
  type: 'String',
  expected: '1 to 64 letters, digits or . - _',
  code: 'iot.firmware.IncorrectFormattedModuleName',
  parse: (text) => {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) return undefined;
    return text.toLowerCase() === DEFAULT_MODULE ? DEFAULT_MODULE : text;
  },
};

const parameters = {
  name: newName,
  destVersion: required(
    'DestVersion',
    'The version that a device has after the update.',
    DEST_VERSION,
    'iot.firmware.NullFirmwareVersion',
  ),
  type: defaulted(
    'Type',
    '0 is a full firmware package, 1 a differential one.',
    { ...oneOf(['0', '1'], 'iot.firmware.InvalidFirmwareType'), type: 'Integer' },
    '0',
  ),
  srcVersion: optional(
    'SrcVersion',
    'The version that a device has before the update. Mandatory when Type is 1.',
    versionRule('iot.firmware.IncorrectFormattedSrcVersion'),
  ),
  signMethod: defaulted(
    'SignMethod',
    'How digests are made.',
    oneOf<SignMethod>(['MD5', 'SHA256'], 'iot.firmware.InvalidFirmwareSignMethod'),
    'MD5',
  ),
  productKey: optional('ProductKey', 'The product of the firmware package.', PRODUCT_KEY),
  moduleName: defaulted('ModuleName', 'The module to update.', moduleNameRule, DEFAULT_MODULE),
  description: optional('FirmwareDesc', 'A description.', DESCRIPTION),
  needToVerify: defaulted(
    'NeedToVerify',
    'Whether the package must be verified before it is used.',
    flag('iot.check.InvalidFormattedParameter'),
    true,
  ),
  udi: optional('Udi', 'A text for the device.', UDI),
};

/** IoT Platform, "CreateOTAFirmware". */
export const createOtaFirmware: Operation = {
  name: 'CreateOTAFirmware',
  summary: 'Makes a firmware package of uploaded files, which then are kept.',
  perSecond: 10,
  parameters: [...Object.values(parameters), ...FILE_PARAMETERS, INSTANCE_ID],
  run: async (context, given) => {
    const { account, instanceId, isSoleAccount, mountPath, publicUrl, record, uploads } = context;
    const wanted = readPackage(given);
    checkProduct(account, wanted.productKey);
    const { ledger, rules } = uploads;
    const chooseKey: ObjectHome['chooseKey'] = (keys) => findKnownKey(ledger, keys);
    const home = { bucket: rules.bucket, publicUrl, mountPath, chooseKey };
    const files = await readFiles(given, wanted.signMethod, home);
    record.keys = files.map(({ file }) => file.key);
    const outcome = await claimUploads(uploads, {
      package: {
        ...wanted,
        accountId: account.id,
        ...(instanceId !== undefined && { instanceId }),
      },
      files: files.map(({ file }) => file),
      soleAccount: isSoleAccount,
      digestTimeout: DIGEST_TIMEOUT_MS,
      requestId: record.requestId,
    });
    if (outcome.kind === 'nameTaken') {
      throw nameTaken(wanted.name, await ledger.findPackageByName(account.id, wanted.name));
    }
    if (outcome.kind !== 'claimed') {
      const labels = files.map((each) => each.labels);
      throw claimRefusal(outcome, { wanted, labels, maxPackages: rules.maxPackages });
    }
    record.from = 'stored';
    record.to = 'claimed';
    return {
      Data: { FirmwareId: outcome.package.id, UtcCreate: toUtc(outcome.package.createdAt) },
      RequestId: record.requestId,
      Success: true,
    };
  },
};

type WantedPackage = Omit<ClaimRequest['package'], 'accountId' | 'instanceId'>;

function readPackage(given: Given): WantedPackage {
  const name = parameters.name.read(given);
  const destVersion = parameters.destVersion.read(given);
  const differential = parameters.type.read(given) === '1';
  const srcVersion = parameters.srcVersion.read(given);
  if (differential) checkDifference(srcVersion, destVersion);
  const productKey = parameters.productKey.read(given);
  const description = parameters.description.read(given);
  const udi = parameters.udi.read(given);
  return {
    name,
    destVersion,
    differential,
    ...(srcVersion !== undefined && { srcVersion }),
    signMethod: parameters.signMethod.read(given),
    ...(productKey !== undefined && { productKey }),
    moduleName: parameters.moduleName.read(given),
    ...(description !== undefined && { description }),
    ...(udi !== undefined && { udi }),
    status: parameters.needToVerify.read(given)
      ? PACKAGE_STATUS.unverified
      : PACKAGE_STATUS.notNeeded,
  };
}

function checkDifference(srcVersion: string | undefined, destVersion: string): void {
  if (srcVersion === undefined) throw businessError('iot.firmware.SrcVersionIsMandatory', {});
  if (srcVersion !== destVersion) return;
  throw businessError('iot.firmware.SrcDestVersionMatched', { version: destVersion });
}
