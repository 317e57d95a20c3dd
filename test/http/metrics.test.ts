import { connect } from 'node:net';
import request from 'supertest';
import type { Gateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/config/config.ts';
import { folderForEachTest } from '../support/suite.ts';
import { itOnOneMachine } from '../support/engine.ts';
import { createGateway, startTestGateway } from '../support/gateways.ts';

const folder = folderForEachTest();
let gateway: Gateway | undefined;

afterEach(() => gateway?.close());

async function start(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await createGateway({ dataDir: folder.path, minFree: 0, ...options });
  return gateway;
}

const get = ({ app }: Gateway, headers: Readonly<Record<string, string>> = {}) =>
  request(app).get('/_gateway/metrics').set(headers);

describe('without a token', () => {
  it('a client of this machine reads the metrics', async () => {
    const response = await get(await start()).expect(200);
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.text).toContain('\nota_gateway_ready 1\n');
    expect(response.text).toMatch(/\nota_gateway_disk_free_bytes \d{6,}\n/);
  });

  itOnOneMachine('a client of this machine reads how large the ledger is', async () => {
    const { text } = await get(await start()).expect(200);
    expect(text).toMatch(/\nota_gateway_ledger_size_bytes \d{4,}\n/);
  });

  it.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'Via', 'X-Real-IP'])(
    'a request with %s is refused, because it may come from anywhere',
    async (header) => {
      const { body, status } = await get(await start(), { [header]: '127.0.0.1' });
      expect(status).toBe(403);
      expect(body.error).toContain(`not through a proxy (${header.toLowerCase()})`);
      expect(body.error).toContain('OTA_GATEWAY_METRICS_TOKEN');
    },
  );

  it('a page of another site is refused, also under a name that points to this machine', async () => {
    const opened = await start();
    expect((await get(opened, { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await get(opened, { Host: 'evil.example' })).status).toBe(403);
  });

  it('code in the same process reads them', async () => {
    await using kit = await startTestGateway();
    const response = await kit.fetch('/_gateway/metrics');
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining('ota_gateway_ready 1'),
    ]);
  });
});

describe('with a token', () => {
  const TOKEN = 'a token';

  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`])('%j reads the metrics', async (value) => {
    const opened = await start({ metricsToken: TOKEN });
    const headers = { Authorization: value, 'X-Forwarded-For': '203.0.113.9', Host: 'ota.example' };
    expect((await get(opened, headers)).status).toBe(200);
  });

  it.each([undefined, 'Bearer', 'Bearer another', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN} `])(
    '%j is refused, also from this machine',
    async (value) => {
      const opened = await start({ metricsToken: `${TOKEN} !` });
      const { body, headers, status } = await get(
        opened,
        value === undefined ? {} : { Authorization: value },
      );
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer realm="metrics"');
      expect(body.error).toMatch(/Authorization: Bearer TOKEN.*OTA_GATEWAY_METRICS_TOKEN/);
      expect(JSON.stringify(body)).not.toContain(TOKEN);
    },
  );
});

it('says how to switch the metrics on when they are off', async () => {
  const opened = await start({ metrics: false, metricsToken: 'unused' });
  const { body, status } = await get(opened);
  expect([status, body.error]).toEqual([404, expect.stringContaining('OTA_GATEWAY_METRICS')]);
});

it('counts the life of an upload in the same process', async () => {
  await using kit = await startTestGateway();
  const text = async (): Promise<string> => (await kit.fetch('/_gateway/metrics')).text();
  await text();
  await kit.seed({ state: 'issued' });
  await kit.seed({ state: 'stored' });
  await kit.seed({ state: 'claimed' });
  await kit.seed({ state: 'purged' });
  const found = await text();
  const lines = [
    ...['grants_issued_total 4', 'uploads_stored_total 3', 'uploads_claimed_total 1'],
    ...['uploads_purged_total{reason="unclaimed"} 1', 'purge_runs_total{outcome="done"} 1'],
    ...['uploads{state="issued"} 1', 'uploads{state="stored"} 1', 'uploads{state="purged"} 1'],
    ...['firmware_packages 1', 'claim_age_seconds_count 1', 'upload_finish_seconds_count 3'],
  ];
  for (const line of lines) expect(found).toContain(`\nota_gateway_${line}\n`);
  // Each call is dated.
  expect(found).toMatch(/\nota_gateway_client_clock_skew_seconds_bucket\{le="60"\} [5-9]\n/);
});

it('counts open connections', async () => {
  const opened = await start({ port: 0 });
  const { port, url } = await opened.listen();
  const socket = connect(port);
  await new Promise((resolve) => socket.once('connect', resolve));
  const text = await (await fetch(`${url}/_gateway/metrics`)).text();
  socket.destroy();
  expect(text).toMatch(/\nota_gateway_connections 2\n/);
});
