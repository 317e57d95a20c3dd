export { createFaults, createGateway } from './gateway.ts';
export type { FaultCodes, Gateway, GatewayParts, Records } from './gateway.ts';
export type { OssFaultCodes } from './oss/fault-codes.ts';
export type { IotFaultCodes } from './iot/fault-codes.ts';
export { ConfigError } from './config/config-error.ts';
export type { Config, GatewayOptions } from './config/config.ts';
export type { Account, AccessKey, Product } from './accounts/accounts.ts';
export type { Listener } from './http/listener.ts';
export type { ClaimedFile, ClaimRefusal, ClaimOutcome, Mismatch } from './uploads/claim.ts';
export { DepositError } from './uploads/deposit.ts';
export type { Deposit, DepositedFile, DepositRefusal } from './uploads/deposit.ts';
export { PACKAGE_STATUS } from './uploads/firmware-package.ts';
export type {
  FirmwarePackage,
  PackageFile,
  PackageStatus,
  SignMethod,
} from './uploads/firmware-package.ts';
export type { PurgeReport } from './uploads/purge-bodies.ts';
export type { PackageSnapshot, Snapshot, StatusName, UploadSnapshot } from './uploads/snapshot.ts';
export type {
  Claim,
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
export { DIFFERENCES } from './oss/differences.ts';
export type { Difference, DifferenceCode } from './oss/differences.ts';
export { NoticeLog } from './oss/fidelity.ts';
export type { Notice } from './oss/fidelity.ts';
export { RefusalLog } from './refusals/refusal-log.ts';
export type { Refusal } from './refusals/refusal-log.ts';
export type { RefusalGroup, RefusalGroupQuery } from './refusals/refusal-groups.ts';
export type {
  ListedRefusal,
  RefusalQuery,
  RefusalRepeat,
  RefusalStore,
} from './refusals/refusal-journal.ts';
export type {
  CorsEvidence,
  CorsMismatch,
  Dialect,
  Evidence,
  RefusalRecord,
  RefusalReporter,
} from './refusals/refusal-record.ts';
export { REFUSAL_REASONS } from './refusals/refusal-reason.ts';
export type { RefusalReason } from './refusals/refusal-reason.ts';
export type { AccountLimit } from './accounts/accounts.ts';
export type {
  LedgerChange,
  LedgerWatcher,
  PackagesChanged,
  UploadsChanged,
} from './uploads/ledger-changes.ts';
export type {
  PurgeRun,
  RetiredPackages,
  SmallBodies,
  StoreBacklog,
  StoreFailure,
} from './uploads/ports.ts';
export type { Fault, FaultPlan, FaultSubject } from './faults/fault-plan.ts';
export type { PackageInput, Uploads } from './uploads/uploads.ts';
export type { VerificationResult } from './uploads/change-package.ts';
export type { NonceMemory, Quota } from './accounts/ports.ts';
export type {
  FoundUploads,
  LedgerQueries,
  ListedPackage,
  PackageQuery,
  StateCount,
  UploadCounts,
  UploadOrder,
  UploadQuery,
} from './uploads/ledger-queries.ts';
export type {
  PurgeCounts,
  SampleQuery,
  UsageEvents,
  UsageHistory,
  UsageSample,
} from './uploads/usage-history.ts';
export type { Used } from './uploads/ledger-totals.ts';
export type { SharedState } from './uploads/shared-state.ts';
export type {
  Body,
  ByteRange,
  ClaimRecord,
  ClaimRecordOutcome,
  IssuedGrant,
  KeyHolder,
  ListedUpload,
  ObjectStore,
  Observer,
  PackageChange,
  PackageFilter,
  PackageOwner,
  PurgingBody,
  ExpectedBody,
  FailedTryListener,
  FoundBody,
  Room,
  StoredBody,
  StoredRecord,
  StoreOutcome,
  StoreRecovery,
  UploadLedger,
} from './uploads/ports.ts';
export type {
  FaultRegistry,
  Faults,
  ActiveFault,
  CodesByOperation,
} from './faults/fault-registry.ts';
export { FaultSpecError } from './faults/fault-spec.ts';
export type { FaultSpec, FaultScope } from './faults/fault-spec.ts';
export { AdjustableClock, ManualClock, wallClock } from './lib/clock.ts';
export type { Clock, Duration } from './lib/clock.ts';
export { randomIds, sequentialIds } from './lib/ids.ts';
export type { Ids } from './lib/ids.ts';
export type { Logger } from './lib/logger.ts';
