export { gatewayStorage, isGatewayFile } from './gateway-storage.ts';
export type {
  Chooser,
  GatewayFile,
  GatewayStorage,
  GatewayStorageOptions,
  IncomingFile,
} from './gateway-storage.ts';
