import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { generateOTAUploadURL, queryDownloadUrl } from '../../../src/client/api-client.ts';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { createOTAFirmware } from '../../../src/client/api-client.ts';
import { formFields } from '../../../src/client/post-object.ts';
import { ACCOUNT_KEY, startBuiltGateway } from '../../support/built-gateway.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { gatewayForSuite } from '../../support/suite.ts';
import { beginToPost, tlsApiOf } from '../../support/tls-client.ts';
import { startCaddy, startNginx } from './proxy.ts';
import type { Proxy, ProxySite } from './proxy.ts';

// The shipped configurations with the proxies of Debian: only ports, addresses and certificates are replaced.

/** A client that is not the machine of the proxy. */
const CLIENT = '127.0.0.9';

const PROXIES: [string, (site: ProxySite) => Promise<Proxy>][] = [
  ['nginx', startNginx],
  ['caddy', startCaddy],
];

for (const [name, start] of PROXIES) {
  describeWith([name, 'openssl'], `the gateway behind ${name}`, () => {
    let tls: PrivateCa;
    let proxy: Proxy;

    const gateway = gatewayForSuite((folder) => {
      tls = createPrivateCa(folder);
      return startBuiltGateway(join(folder, 'data'), {
        OTA_GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
        OTA_GATEWAY_CALLBACK_HOSTS: '127.0.0.1',
        OTA_GATEWAY_UNSIGNED_CALLBACKS: 'on',
        OTA_GATEWAY_TEST_MODE: 'on',
      });
    });

    beforeAll(async () => {
      proxy = await start({ folder: gateway.folder, tls, upstreamPort: gateway.port });
    });

    afterAll(() => proxy.stop());

    const grantOf = (): Promise<UploadGrant> => generateOTAUploadURL(tlsApiOf(proxy.url, tls.ca));

    it.each(SDK_CLIENTS)('accepts the calls of $name, and returns its own address', async (sdk) => {
      const caller = { url: proxy.url, key: ACCOUNT_KEY, ca: tls.ca };
      expect(await sdk.call(caller, 'GenerateOTAUploadURL')).toMatchObject({
        Data: {
          Host: proxy.url,
          FirmwareUrl: expect.stringContaining(`${proxy.url}/ota/`) as unknown,
        },
        Success: true,
      });
    });

    it('accepts an upload in pieces, its claim and its download', async () => {
      const api = tlsApiOf(proxy.url, tls.ca);
      const grant = await grantOf();
      const postTheRest = await beginToPost(grant, { ca: tls.ca });
      expect(await postTheRest()).toBe(200);
      const { firmwareUrl } = grant;
      const pack = { FirmwareName: name, DestVersion: '1', FirmwareUrl: firmwareUrl };
      const firmwareId = await createOTAFirmware(api, pack);
      const url = await queryDownloadUrl(api, { FirmwareId: firmwareId });
      const download = request(url, { ca: tls.ca, agent: false }).end();
      const [response] = await once(download, 'response');
      expect(String(await buffer(response))).toBe('first half, second half');
    });

    it('passes a refusal on while the client still sends', async () => {
      const grant = await grantOf();
      const { response, sent } = await refuse({ ...grant, signature: 'wrong' }, tls.ca);
      expect(response.statusCode).toBe(403);
      expect(await text(response)).toContain('<Code>SignatureDoesNotMatch</Code>');
      sent.destroy();
    });

    it('tells the gateway the address of the client, whatever that one claims to be', async () => {
      const grant = await grantOf();
      await using server = await startCallbackServer();
      const callback = { callbackUrl: server.url, callbackBody: 'ip=${clientIp}' };
      const fields = { callback: Buffer.from(JSON.stringify(callback)).toString('base64') };
      const headers = { 'X-Forwarded-For': '203.0.113.1', Forwarded: 'for=203.0.113.2' };
      const form = formOf(grant, fields) + 'bytes\r\n--b--\r\n';
      const sent = request(grant.host, { ...optionsOf(tls.ca, headers), localAddress: CLIENT });
      const [response] = await once(sent.end(form), 'response');
      expect([response.statusCode, await text(response)]).toEqual([200, '{}']);
      expect(server.bodies).toEqual([`ip=${CLIENT}`]);
    });

    it('keeps the test controls for clients that use no proxy', async () => {
      const sent = request(`${proxy.url}/_gateway/test/clock`, { ca: tls.ca, agent: false });
      const [response] = await once(sent.end(), 'response');
      expect(response.statusCode).toBe(403);
      expect(await text(response)).toContain('not through a proxy');
    });

    it('passes each server-sent event on at once', async () => {
      await using events = await startEventServer();
      const upstreamPort = events.port;
      const inFront = await start({ folder: gateway.folder, tls, upstreamPort });
      const sent = request(`${inFront.url}/`, { ca: tls.ca, agent: false });
      const [response]: IncomingMessage[] = await once(sent.end(), 'response');
      for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
        events.send(event);
        expect(String(await nextChunk(response))).toBe(event);
      }
      sent.destroy();
      await inFront.stop();
    });
  });
}

function optionsOf(ca: string, headers: Readonly<Record<string, string>> = {}): object {
  return {
    ca,
    agent: false,
    method: 'POST',
    headers: { 'Content-Type': 'multipart/form-data; boundary=b', ...headers },
  };
}

/** @returns a form up to the bytes of its file */
function formOf(grant: UploadGrant, others: Readonly<Record<string, string>> = {}): string {
  const fields = [...formFields(grant), ...Object.entries(others), ['file', '']];
  return fields
    .map(([name = '', value = '']) => {
      const head = `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
      return name === 'file' ? head : `${head}${value}\r\n`;
    })
    .join('');
}

/** Announces a form of 200 MiB, and sends no more than its beginning until the response is there. */
async function refuse(
  grant: UploadGrant,
  ca: string,
): Promise<{ response: IncomingMessage; sent: ReturnType<typeof request> }> {
  const headers = { 'Content-Length': String(200 * 1024 * 1024) };
  const sent = request(grant.host, optionsOf(ca, headers)).on('error', () => undefined);
  sent.write(formOf(grant) + 'x'.repeat(100_000));
  const [response] = await once(sent, 'response');
  return { response, sent };
}

interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

async function listen(server: Server): Promise<TestServer> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    port,
    url: `http://127.0.0.1:${String(port)}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function startCallbackServer(): Promise<TestServer & { readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((received, response) => {
    text(received)
      .then((body) => {
        bodies.push(body);
        response.setHeader('Content-Type', 'application/json').end('{}');
      })
      .catch(() => response.destroy());
  });
  return Object.assign(await listen(server), { bodies });
}

async function startEventServer(): Promise<TestServer & { send: (event: string) => void }> {
  let send: (event: string) => void = () => undefined;
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    send = (event) => response.write(event);
  });
  return Object.assign(await listen(server), {
    send: (event: string) => {
      send(event);
    },
  });
}

async function nextChunk(response: IncomingMessage | undefined): Promise<unknown> {
  if (response === undefined) throw new Error('there is no response');
  const [chunk] = await once(response, 'data');
  return chunk;
}
