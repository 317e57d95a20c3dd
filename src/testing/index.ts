export { startTestGateway } from './load-kit.ts';
export type {
  DownloadUrlOptions,
  FetchOptions,
  PostObjectOptions,
  PostResult,
  SeededUpload,
  TestGateway,
  TestGatewayOptions,
} from './test-gateway.ts';
export type { Key, SeedOptions, SeedState } from '../client/seed.ts';
export type { FaultCodes, Notice, Refusal } from '../gateway.ts';
export type { Hooks, Unsubscribe } from './hooks.ts';
export { ApiCallError } from '../client/api-call-error.ts';
export type { SignedCall, UploadGrant } from '../client/api-client.ts';
export type {
  CreatedFirmware,
  CreateParameters,
  FirmwareFile,
  FirmwareInfo,
  FirmwarePage,
  FirmwareParameters,
  FirmwareSummary,
  GenerateParameters,
  InstanceParameter,
  ListParameters,
  ModifyParameters,
  OtaClient,
} from '../client/ota-client.ts';
export type { Scalar, SdkParameter } from '../client/camel-case.ts';
export type { PostResponse } from '../client/post-object.ts';
export { ManualClock } from '../lib/clock.ts';
export type { Clock, Duration } from '../lib/clock.ts';
export { ConfigError } from '../config/config-error.ts';
export { sequentialIds } from '../lib/ids.ts';
