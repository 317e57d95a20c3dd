import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { findTrespass } from '../../../src/ops/trespass.ts';

function requestFrom(remoteAddress: string | undefined, origin?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  if (origin !== undefined) request.headers.origin = origin;
  return request;
}

describe('the test controls', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', undefined])(
    'may be used from %s',
    (address) => {
      expect(findTrespass(requestFrom(address), false)).toBeUndefined();
    },
  );

  it.each(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '1.127.0.0'])(
    'may be used from %s only when that is switched on',
    (address) => {
      expect(findTrespass(requestFrom(address), false)).toContain(`not from ${address}`);
      expect(findTrespass(requestFrom(address), true)).toBeUndefined();
    },
  );

  it.each(['https://example.com', 'http://localhost.example', 'null', 'http://127.0.0.1.example'])(
    'are not for pages of %s',
    (origin) => {
      expect(findTrespass(requestFrom('127.0.0.1', origin), true)).toContain(origin);
    },
  );
});
