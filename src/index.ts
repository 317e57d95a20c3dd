export { createFaults, createGateway } from './gateway.ts';
export type { Gateway, GatewayParts, Records } from './gateway.ts';
export { ConfigError } from './config.ts';
export type { Config, GatewayOptions } from './config.ts';
export type { Account, AccessKey, Product } from './iot/accounts.ts';
export type { Listener } from './listener.ts';
export type { ClaimedFile, ClaimObstacle, ClaimOutcome, Mismatch } from './uploads/claim.ts';
export { DepositError } from './uploads/deposit.ts';
export type { Deposit, DepositedFile, DepositRefusal } from './uploads/deposit.ts';
export { PACKAGE_STATUS } from './uploads/firmware-package.ts';
export type {
  FirmwarePackage,
  PackageFile,
  PackageStatus,
  SignMethod,
} from './uploads/firmware-package.ts';
export type { PurgeReport } from './uploads/purge.ts';
export type { PackageSnapshot, Snapshot, StatusName, UploadSnapshot } from './uploads/snapshot.ts';
export type {
  ClaimedUpload,
  Issue,
  IssuedUpload,
  LiveUpload,
  Purge,
  PurgedUpload,
  PurgeReason,
  StoredObject,
  StoredUpload,
  Upload,
  UploadBase,
  UploadState,
} from './uploads/upload.ts';
export type { Fault, FaultPlan, FaultSubject } from './faults/fault-plan.ts';
export type { PackageOrder, Uploads } from './uploads/uploads.ts';
export type { Verdict } from './uploads/verification.ts';
export type {
  Body,
  ByteRange,
  ClaimRecord,
  ClaimRecordOutcome,
  IssuedGrant,
  ListedUpload,
  NonceMemory,
  ObjectStore,
  Observer,
  PackageChange,
  PackageFilter,
  PurgingBody,
  Quota,
  StoredBody,
  StoredRecord,
  StoreOutcome,
  StoreRecovery,
  UploadLedger,
} from './ports.ts';
export type { FaultBook, Faults, OrderedFault } from './faults/fault-book.ts';
export { FaultOrderError } from './faults/order.ts';
export type { FaultOrder, FaultScope } from './faults/order.ts';
export { AdjustableClock, ManualClock, wallClock } from './clock.ts';
export type { Clock, Duration } from './clock.ts';
export { randomIds, sequentialIds } from './ids.ts';
export type { Ids } from './ids.ts';
export type { Logger } from './logger.ts';
