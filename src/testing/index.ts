export { startTestGateway } from './start-test-gateway.ts';
export type { TestGateway, TestGatewayOptions } from './start-test-gateway.ts';
