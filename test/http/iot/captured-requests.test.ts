import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { ManualClock } from '../../../src/lib/clock.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

const captured = z.object({
  method: z.string(),
  url: z.string(),
  rawHeaders: z.array(z.string()),
  body: z.string(),
});
type Captured = z.output<typeof captured>;

const callResponse = z.object({
  Success: z.boolean().optional(),
  Code: z.string().optional(),
  Message: z.string().optional(),
});
type CallResponse = z.output<typeof callResponse>;

const REQUESTS = readFileSync(join(__dirname, '../../fixtures/captured-requests.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => captured.parse(JSON.parse(line)));

const TAKEN_AT = Date.UTC(2026, 10, 22, 23, 34, 2);

let gateway: TestGateway;
let server: Server;

beforeEach(async () => {
  const clock = new ManualClock(TAKEN_AT);
  gateway = await startTestGateway({ clock, parts: { wallClock: clock } });
  server = createServer(gateway.app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await gateway.close();
});

function port(): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function replay({
  body,
  method,
  rawHeaders,
  url,
}: Captured): Promise<{ status: number; body: CallResponse }> {
  return new Promise((resolve, reject) => {
    const headers = rawHeaders.filter(
      (_, place) => rawHeaders[place - (place % 2)]?.toLowerCase() !== 'connection',
    );
    const call = httpRequest(
      { port: port(), host: '127.0.0.1', method, path: url, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: callResponse.parse(JSON.parse(text)) });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

function isCreate({ body, rawHeaders, url }: Captured): boolean {
  return (url + body + rawHeaders.join()).includes('CreateOTAFirmware');
}

/** Parts in which one byte can be changed without breaking the format of the request. */
function changes(call: Captured): [string, Captured][] {
  const edit = (from: RegExp, to: string): Captured => ({
    ...call,
    url: call.url.replace(from, to),
    body: call.body.replace(from, to),
    rawHeaders: call.rawHeaders.map((text) => text.replace(from, to)),
  });
  return [
    ['a parameter', isCreate(call) ? edit(/2\.0\.0/, '2.0.1') : edit(/tar\.gz/, 'tar.gx')],
    ['the signature', edit(/(Signature=)(.)/, '$1_')],
  ];
}

describe.each(REQUESTS.map((each, index) => [index + 1, each] as const))(
  'captured request %i',
  (_, call) => {
    it('has the signature of its client', async () => {
      const { body, status } = await replay(call);
      expect(status).toBe(200);
      // The captures ask for a firmware name with a space in it, which only the operation refuses.
      expect(body.Code).toBe(
        isCreate(call) ? 'iot.firmware.IncorrectFormattedFirmwareName' : undefined,
      );
      expect(body.Success).toBe(!isCreate(call));
    });

    it.each(changes(call))('is refused when one byte of %s is changed', async (_place, changed) => {
      expect(changed).not.toEqual(call);
      const { body, status } = await replay(changed);
      expect([status, body.Code]).toEqual([400, 'SignatureDoesNotMatch']);
    });

    it('is accepted only once', async () => {
      await replay(call);
      const { body, status } = await replay(call);
      expect([status, body.Code]).toEqual([400, 'SignatureNonceUsed']);
    });

    it('is refused after 15 minutes', async () => {
      gateway.clock.advance({ minutes: 15, seconds: 2 });
      const { body, status } = await replay(call);
      expect([status, body.Code]).toEqual([400, 'InvalidTimeStamp.Expired']);
      expect(body.Message).toContain(new Date(gateway.clock.now()).toISOString());
    });
  },
);
