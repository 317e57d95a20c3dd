import type { Account } from '../../accounts/accounts.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import { businessError } from '../errors.ts';
import { optional, quote } from '../parameters/parameter.ts';
import { atMost } from '../parameters/rules.ts';
import type { CallContext } from './operation.ts';

/** The parameter that every operation has. */
export const INSTANCE_ID = optional(
  'IotInstanceId',
  'The instance. Mandatory when the account has instances.',
  atMost(256, 'iot.check.ParameterIsNotLessThanMax'),
);

/**
 * @returns the instance of a call
 * @throws BusinessError when the account has instances and the call names none of them
 */
export function chooseInstance(
  { instances }: Account,
  values: ReadonlyMap<string, string>,
): string | undefined {
  const instanceId = INSTANCE_ID.read({ values, prefix: '' });
  if (instances === undefined) return instanceId;
  if (instanceId !== undefined && instances.includes(instanceId)) return instanceId;
  const given = instanceId === undefined ? 'is missing' : `is ${quote(instanceId)}`;
  throw businessError('iot.system.InstanceNotFound', {
    reason: `IotInstanceId must be one of ${instances.join(', ')}, but ${given}.`,
  });
}

/** Finds a package of the caller. When the account lists instances, finds only packages of the instance of the call. */
export async function findPackage(
  { account, instanceId, uploads }: CallContext,
  firmwareId: string,
): Promise<FirmwarePackage | undefined> {
  const found = await uploads.ledger.findPackage(account.id, firmwareId);
  if (account.instances !== undefined && found?.instanceId !== instanceId) return undefined;
  return found;
}
