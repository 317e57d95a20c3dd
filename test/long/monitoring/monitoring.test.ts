import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import { generateOTAUploadURL } from '../../../src/client/api-client.ts';
import { describeWith } from '../../support/programs.ts';
import { folderForSuite, gatewayForSuite } from '../../support/suite.ts';

// Debian's package `prometheus` has both programs.

const run = promisify(execFile);
const EXAMPLES = join(__dirname, '../../../examples/monitoring');
const RULES = 'ota-gateway.rules.yml';
const TOKEN = 'a-token-for-prometheus';
const LIMIT_MS = 30_000;

describeWith('promtool', 'promtool', () => {
  it('accepts the rules', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', join(EXAMPLES, RULES)]);
    expect(stdout).toContain('SUCCESS: 13 rules found');
  });

  it('finds that each rule fires when it must, and not before', async () => {
    const tests = join(EXAMPLES, 'ota-gateway.rules.test.yml');
    const { stdout } = await run('promtool', ['test', 'rules', tests]);
    expect(stdout).toContain('SUCCESS');
  });
});

describeWith(['prometheus', 'promtool'], 'Prometheus', () => {
  const folder = folderForSuite();
  const gateway = gatewayForSuite((path) =>
    startBuiltGateway(join(path, 'data'), {
      OTA_GATEWAY_METRICS_TOKEN: TOKEN,
      OTA_GATEWAY_CLAIM_TTL: '2s',
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
    }),
  );
  let prometheus: ChildProcess | undefined;
  let api: string;

  beforeAll(async () => {
    await makeTraffic(gateway.url);
    const port = await freePort();
    api = `http://127.0.0.1:${String(port)}/api/v1`;
    await configure(folder.path, gateway.port);
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder.path, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder.path, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${String(port)}`,
      ],
      { stdio: 'ignore' },
    );
    // The rates need two scrapes with traffic between them.
    await eventually(async () => (await countScrapes(api)) >= 2, LIMIT_MS);
    await makeTraffic(gateway.url);
    const before = await countScrapes(api);
    await eventually(async () => (await countScrapes(api)) >= before + 2, LIMIT_MS);
  }, 3 * LIMIT_MS);

  afterAll(async () => {
    if (prometheus?.exitCode !== null) return;
    prometheus.kill('SIGTERM');
    await once(prometheus, 'exit');
  });

  it('scrapes a text in which promtool finds no mistake', async () => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const text = await (await fetch(`${gateway.url}/_gateway/metrics`, { headers })).text();
    const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.stdin.end(text);
    const [code]: unknown[] = await once(child, 'close');
    expect([code, output]).toEqual([0, '']);
  });

  it('finds series for each query of the dashboard', async () => {
    const queries = dashboardQueries();
    expect(queries.length).toBeGreaterThan(35);
    expect(await withoutSeries(api, queries)).toEqual([]);
  });

  it('finds series for both sides of each alert', async () => {
    const queries = await alertQueries(api);
    expect(queries.length).toBeGreaterThan(9);
    expect(await withoutSeries(api, queries)).toEqual([]);
  });

  it('raises no alert about the gateway itself', async () => {
    // The others are about the disk of this machine, and about the clients.
    const others = 'OtaGateway(DiskNearlyFull|RefusalsHigh|PurgesUnclaimed)';
    expect(await valuesOf(api, `ALERTS{alertname!~"${others}"}`)).toEqual([]);
  });
});

/** A life of an upload, one that nobody claims, and refusals. */
async function makeTraffic(url: string): Promise<void> {
  const claimed = await grantFrom(url);
  await post(claimed, Buffer.alloc(1000));
  await claim(url, claimed, `firmware-${String(Date.now())}`);
  await post(await grantFrom(url), Buffer.alloc(10));
  await post(await grantFrom(url), Buffer.alloc(10), { Signature: 'wrong' });
  const stranger = apiOf(url, { id: 'testid', secret: 'wrong' });
  await generateOTAUploadURL(stranger, {}).catch(() => undefined);
  await fetch(`${url}/ota/none.bin`);
}

/** Writes the example configuration for this gateway, with short intervals. */
async function configure(folder: string, port: number): Promise<void> {
  const example = readFileSync(join(EXAMPLES, 'prometheus.yml'), 'utf8');
  const config = example
    .replaceAll('interval: 15s', 'interval: 1s')
    .replace('127.0.0.1:9070', `127.0.0.1:${String(port)}`);
  await writeFile(join(folder, 'prometheus.yml'), config);
  await writeFile(join(folder, 'ota-gateway.token'), TOKEN);
  await copyFile(join(EXAMPLES, RULES), join(folder, RULES));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const samples = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

type Samples = z.infer<typeof samples>['data']['result'];

async function valuesOf(api: string, query: string): Promise<Samples> {
  const response = await fetch(`${api}/query?${String(new URLSearchParams({ query }))}`);
  if (!response.ok) throw new Error(`${query}: ${await response.text()}`);
  return samples.parse(await response.json()).data.result;
}

async function countScrapes(api: string): Promise<number> {
  try {
    const [found] = await valuesOf(api, 'count_over_time(ota_gateway_ready[1m])');
    return Number(found?.value[1] ?? 0);
  } catch {
    // It is still starting.
    return 0;
  }
}

/** @returns the queries that find nothing */
async function withoutSeries(api: string, queries: readonly string[]): Promise<string[]> {
  const empty: string[] = [];
  for (const query of queries) if ((await valuesOf(api, query)).length === 0) empty.push(query);
  return empty;
}

const dashboard = z.object({
  panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).optional() })),
});

function dashboardQueries(): string[] {
  const text = readFileSync(join(EXAMPLES, 'ota-gateway.dashboard.json'), 'utf8');
  const { panels } = dashboard.parse(JSON.parse(text));
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$__rate_interval', '1m'))
    .map((expr) => expr.replaceAll('$job', 'ota-gateway').replaceAll('$instance', '.*'));
}

const rules = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ query: z.string() })) })),
  }),
});

/** @returns the conditions of the alerts, with results that are 0 or 1 instead of series that are left out */
async function alertQueries(api: string): Promise<string[]> {
  const { data } = rules.parse(await (await fetch(`${api}/rules`)).json());
  return data.groups
    .flatMap((group) => group.rules.map(({ query }) => query))
    .flatMap((query) => query.split(/ (?:or|and) /))
    .map((query) => withoutHalves(query.trim()).replace(/^\((.*)\)$/s, '$1'))
    .map((query) => query.replace(/ (==|<|>) /g, ' $1 bool '));
}

/** Removes parentheses whose other half is in the other part of the condition. */
function withoutHalves(query: string): string {
  const surplus = query.split('(').length - query.split(')').length;
  return surplus > 0 ? query.slice(surplus) : query.slice(0, query.length + surplus);
}
