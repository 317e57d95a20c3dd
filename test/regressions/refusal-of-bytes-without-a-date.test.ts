import { parseHttpDate } from '../../src/http/http-date.ts';
import { startTestGateway } from '../../src/testing/index.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { exchangeRaw } from '../support/raw-exchange.ts';

// The OSS SDK for Python, version 2, throws a DeserializationError for an error response without Date.

let gateway: TestGateway;
let port: number;

beforeAll(async () => {
  gateway = await startTestGateway();
  port = Number(new URL((await gateway.listen()).url).port);
});
afterAll(() => gateway.close());

it.each([
  ['bytes that are not HTTP', 'NONSENSE\r\n\r\n', '400 Bad Request'],
  [
    'headers that are too long',
    `GET / HTTP/1.1\r\nx: ${'x'.repeat(200_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
])('the refusal of %s has a Date', async (_what, bytes, status) => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const head = (await exchangeRaw(port, Buffer.from(bytes))).toString('latin1');
  const [line, ...headers] = head.trimEnd().split('\r\n');
  const date = headers.find((header) => header.startsWith('Date: '))?.slice('Date: '.length) ?? '';
  expect(line).toBe(`HTTP/1.1 ${status}`);
  expect(headers).toContain('Connection: close');
  expect(parseHttpDate(date)).toBeGreaterThanOrEqual(before);
  expect(parseHttpDate(date)).toBeLessThanOrEqual(Date.now());
});
