import type { Account } from '../accounts/accounts.ts';
import { findOperation } from './operations/registry.ts';
import { chooseInstance } from './operations/instance.ts';
import type { CallContext, SuccessBody } from './operations/operation.ts';

/** A call that comes from inside the process, so it is neither signed nor counted. */
export interface InsideCall extends Omit<CallContext, 'instanceId' | 'mountPath' | 'record'> {
  readonly account: Account;
  /** The name of the operation. */
  readonly operation: string;
  /** Absent ones are not given. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs an operation of the API for an account, with the checks of the operation itself.
 * @throws BusinessError when the operation refuses it
 */
export async function runInside({
  operation: name,
  parameters,
  ...context
}: InsideCall): Promise<SuccessBody> {
  const operation = findOperation(name);
  if (operation === undefined) throw new Error(`there is no operation ${name}`);
  const values = new Map<string, string>();
  for (const [parameter, value] of Object.entries(parameters)) {
    if (value !== undefined) values.set(parameter, value);
  }
  const instanceId = chooseInstance(context.account, values);
  // The request that has caused the call has a record of its own.
  const { requestId } = context;
  const record = { requestId, keys: [], from: undefined, to: undefined };
  return operation.run({ ...context, mountPath: '', instanceId, record }, { values, prefix: '' });
}
