import type { Account } from '../accounts/accounts.ts';
import type { RefusalReason } from '../refusals/refusal-reason.ts';
import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import type { PushMessageShape } from './package-shapes.ts';

/** A call of the IoT API that an operator makes without signing it. */
export interface PlatformCall {
  readonly account: Account;
  /** Such as `CreateOTAFirmware`. */
  readonly operation: string;
  /** Absent ones are not given. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  /** The address of the gateway as the caller sees it: scheme, host and path, no trailing slash. */
  readonly host: string;
  /** Id of the request that causes the call. */
  readonly requestId: string;
}

/** The operations of the IoT API: what an operator does obeys the same rules as what a client does. */
export interface Platform {
  /** @throws OperatorError with the code of the platform when the operation refuses it */
  run(call: PlatformCall): Promise<object>;
  readonly compose: ComposeMessage;
}

/**
 * Makes the message that the platform would push to a device.
 * @param push - `at`: when, in Unix milliseconds; `urlOf` returns the URL that downloads the object of a key
 */
export type ComposeMessage = (
  firmware: FirmwarePackage,
  push: { readonly at: number; readonly urlOf: (key: string) => string },
) => PushMessageShape;

/** Why PostObject would refuse a form. */
export interface FormVerdict {
  readonly code: string;
  readonly status: number;
  readonly ec: string | undefined;
  readonly reason: RefusalReason;
  /** Whether its signature is right, so that it is refused for something else. */
  readonly isSigned: boolean;
  /** What the client would read, without what may be secret. */
  readonly summary: string;
  /** The other elements of the error. */
  readonly elements: Readonly<Record<string, string>>;
}

/** Judges the fields of forms as PostObject does, without any effect. */
export interface FormJudge {
  /** The time that forms are judged at, in Unix milliseconds. */
  readonly now: () => number;
  /**
   * @param fields - by lower-case name
   * @param isSignatureUnknown - whether to take the signature as right
   * @returns undefined for a form that PostObject would accept
   */
  readonly judge: (
    fields: ReadonlyMap<string, string>,
    isSignatureUnknown: boolean,
  ) => FormVerdict | undefined;
}
