import type { IncomingMessage } from 'node:http';

const LOOPBACK_ADDRESS = /^(?:::ffff:)?127\.|^::1$/;
const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/**
 * Says why a request may not use the test controls. Another machine may not unless the operator has switched that
 * on, wherever the app is mounted; neither may a web page from elsewhere in a browser on this machine.
 */
export function findTrespass(
  { headers, socket }: IncomingMessage,
  testModeRemote: boolean,
): string | undefined {
  if (headers.origin !== undefined && !LOOPBACK_ORIGIN.test(headers.origin)) {
    return `the test controls are not for web pages of ${headers.origin}`;
  }
  // A connection inside the process has no address.
  const address = socket.remoteAddress;
  if (testModeRemote || address === undefined || LOOPBACK_ADDRESS.test(address)) return undefined;
  return (
    `the test controls may be used from this machine only, not from ${address}; ` +
    '--test-mode-remote (OTA_GATEWAY_TEST_MODE_REMOTE=on) opens them to other machines'
  );
}
