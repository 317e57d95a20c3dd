import type { FaultableOperation } from '../faults/fault-spec.ts';
import { BUSINESS_ERRORS, GATEWAY_ERRORS } from './errors.ts';
import type { BusinessCode, GatewayErrorName } from './errors.ts';

/** The codes of required parameters that are missing, by action. A test compares them with the operations. */
export const MISSING_CODES = {
  GenerateOTAUploadURL: [],
  CreateOTAFirmware: ['MissingFirmwareName', 'MissingDestVersion'],
  QueryOTAFirmware: ['MissingFirmwareId'],
  ListOTAFirmware: ['MissingCurrentPage', 'MissingPageSize'],
  ModifyOTAFirmware: ['MissingFirmwareId', 'MissingProductKey'],
  DeleteOTAFirmware: ['MissingFirmwareId'],
} as const;

/** The names that `admit` puts into `Invalid{name}`. */
const INVALID_CODES = ['InvalidVersion', 'InvalidSignatureNonce'] as const;

/** Codes of the layer in front of the operations that name no parameter. */
type GeneralCode = Exclude<GatewayErrorName, `${string}{${string}`>;

/** The actions of the API, and the codes that each, or the layer in front of it, can refuse with. */
export type IotFaultCodes = {
  -readonly [Action in keyof typeof MISSING_CODES]:
    | GeneralCode
    | (typeof INVALID_CODES)[number]
    | (typeof MISSING_CODES)[Action][number]
    | BusinessCode;
};

/** @returns every action with its codes */
export function faultableOperations(): ReadonlyMap<string, FaultableOperation> {
  const general = Object.keys(GATEWAY_ERRORS).filter((code) => !code.includes('{'));
  const business = Object.keys(BUSINESS_ERRORS);
  return new Map(
    Object.entries(MISSING_CODES).map(([action, missing]) => [
      action,
      {
        codes: [...general, ...INVALID_CODES, ...missing, ...business],
        hasFile: false,
        hasKey: false,
      },
    ]),
  );
}
