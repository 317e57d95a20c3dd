export { gatewayStorage, isGatewayFile } from './gateway-storage.ts';
export type {
  Chooser,
  GatewayFile,
  GatewayStorage,
  GatewayStorageOptions,
  IncomingFile,
  StoringGateway,
} from './gateway-storage.ts';
