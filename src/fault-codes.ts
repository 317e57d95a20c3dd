import { FaultRegistry } from './faults/fault-registry.ts';
import { faultableOperations as iotOperations } from './iot/fault-codes.ts';
import type { IotFaultCodes } from './iot/fault-codes.ts';
import { faultableOperations as ossOperations } from './oss/fault-codes.ts';
import type { OssFaultCodes } from './oss/fault-codes.ts';

/** Every operation that can fail on purpose, with the error codes that it can have. */
export interface FaultCodes extends OssFaultCodes, IotFaultCodes {}

/** Creates a registry of faults to inject, for the `faults` of a gateway. */
export function createFaults(): FaultRegistry<FaultCodes> {
  return new FaultRegistry(new Map([...ossOperations(), ...iotOperations()]));
}
