import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../src/lib/clock.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { collectRequestLines } from '../support/request-lines.ts';
import { startTestGateway } from '../support/gateways.ts';

const { first: lineOf, lines, logger } = collectRequestLines();
const monotonicClock = new ManualClock(0);

let gateway: TestGateway;
let port: number;

beforeAll(async () => {
  gateway = await startTestGateway({ parts: { logger, monotonicClock } });
  ({ port } = await gateway.listen());
});
afterAll(() => gateway.close());

function dial(): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

/** Sends the head of a request. @returns after the interim response, which says that the gateway reads the body */
async function begin(line: string, ...headers: readonly string[]): Promise<Socket> {
  const socket = dial();
  socket.write([line, 'Host: h', 'Expect: 100-continue', ...headers, '', ''].join('\r\n'));
  await once(socket, 'data');
  return socket;
}

async function inFlight(): Promise<string[]> {
  const text = await (await gateway.fetch('/_gateway/metrics')).text();
  return text.match(/^ota_gateway_requests_in_flight\{dialect="(?:iot|oss)"\} .*$/gm) ?? [];
}

const NONE = ['iot', 'oss'].map(
  (dialect) => `ota_gateway_requests_in_flight{dialect="${dialect}"} 0`,
);

const CALL = 'POST /?Action=QueryOTAFirmware&AccessKeyId=nobody HTTP/1.1';
const CHUNKED = 'Transfer-Encoding: chunked';
const FORM = 'Content-Type: multipart/form-data; boundary=b';
const URLENCODED = 'Content-Type: application/x-www-form-urlencoded';

describe('the record of a call', () => {
  it('has the time from the head of its request, not from the end of its body', async () => {
    const socket = await begin(CALL, 'Content-Length: 3');
    monotonicClock.advance({ milliseconds: 700 });
    socket.end('a=b');
    expect(await lineOf()).toMatchObject({ operation: 'QueryOTAFirmware', bytesIn: 3, ms: 700 });
  });

  it.each([
    ['call', 'POST /?Action=QueryOTAFirmware', URLENCODED, '5\r\na=b&c\r\n2\r\n=d\r\n0\r\n\r\n', 7],
    ['form', 'POST /', FORM, '4\r\n--b-\r\n4\r\n-\r\n\n\r\n0\r\n\r\n', 8],
  ])('has the bytes of a %s in chunks that comes with its head', async (...row) => {
    const [, line, type, body, bytesIn] = row;
    const socket = dial();
    socket.end(`${line} HTTP/1.1\r\nHost: h\r\n${type}\r\n${CHUNKED}\r\n\r\n${body}`);
    expect(await lineOf()).toMatchObject({ bytesIn });
  });
});

describe('a client that is gone', () => {
  it.each([
    ['a call', CALL, 'Content-Length: 99', 'QueryOTAFirmware', 'iot'],
    ['a call in chunks', CALL, CHUNKED, 'QueryOTAFirmware', 'iot'],
    ['a form', 'POST / HTTP/1.1', `${FORM}\r\nContent-Length: 99`, 'PostObject', 'oss'],
    ['a form in chunks', 'POST / HTTP/1.1', `${FORM}\r\n${CHUNKED}`, 'PostObject', 'oss'],
  ])('during the body of %s leaves one line', async (...row) => {
    const [, line, length, operation, dialect] = row;
    const socket = await begin(line, length);
    socket.resetAndDestroy();
    const gone = { code: 'ClientVanished', reason: 'incomplete', status: 0, bytesOut: 0 };
    expect(await lineOf()).toMatchObject({ ...gone, dialect, operation });
    expect(await inFlight()).toEqual(NONE);
    expect(lines).toHaveLength(1);
  });

  it('leaves how many bytes of the body have arrived', async () => {
    const socket = await begin(CALL, 'Content-Length: 99');
    socket.write('seven b');
    await setImmediate();
    socket.end();
    expect(await lineOf()).toMatchObject({ bytesIn: 7 });
  });

  it('in the middle of a download leaves the bytes that were sent, not a success', async () => {
    const size = 24 * 1024 * 1024;
    const { key } = await gateway.seed({ state: 'stored', bytes: Buffer.alloc(size) });
    lines.length = 0;
    const { pathname, search } = new URL(gateway.downloadUrl(key));
    const socket = dial();
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${new URL(gateway.url).host}\r\n\r\n`);
    await once(socket, 'data');
    socket.resetAndDestroy();
    const found = await lineOf();
    expect(found).toMatchObject({ operation: 'GetObject', code: 'ClientVanished', status: 200 });
    expect(found).toMatchObject({ key, reason: 'incomplete', bytesOut: expect.any(Number) });
    expect(Reflect.get(found ?? {}, 'bytesOut')).toBeLessThan(size);
    expect(await inFlight()).toEqual(NONE);
  });
});

it('a request that fails while it is refused leaves one line, and is no longer in flight', async () => {
  const broken = jest.spyOn(gateway.clock, 'now').mockImplementation(() => {
    broken.mockRestore();
    throw new Error('no clock');
  });
  const socket = dial();
  socket.write(`${CALL}\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n`);
  await once(socket.resume(), 'close');
  expect(await lineOf()).toMatchObject({ code: 'InternalError', reason: 'internal', status: 0 });
  expect(await inFlight()).toEqual(NONE);
  expect(lines).toHaveLength(1);
});
