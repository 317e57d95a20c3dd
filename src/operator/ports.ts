import type { Account } from '../accounts/accounts.ts';

/** A call of the IoT API that an operator makes without signing it. */
export interface PlatformCall {
  readonly account: Account;
  /** Such as `CreateOTAFirmware`. */
  readonly operation: string;
  /** Absent ones are not given. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  /** The address of the gateway as the caller sees it: scheme, host and path, no trailing slash. */
  readonly host: string;
}

/** The operations of the IoT API: what an operator does obeys the same rules as what a client does. */
export interface Platform {
  /** @throws OperatorError with the code of the platform when the operation refuses it */
  run(call: PlatformCall): Promise<object>;
}
