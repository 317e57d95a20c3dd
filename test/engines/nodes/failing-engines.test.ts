import { z } from 'zod';
import { callOperatorApi } from '../../../src/cli/operator-api.ts';
import { report } from '../../long/reliability/dice.ts';
import { objectUrl } from '../../long/reliability/kill.ts';
import { eventually } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, grantFrom, post } from '../../support/loop.ts';
import { outcomeOf } from '../../support/sdk-families.ts';
import type { Fault, FaultyProxy } from '../support/faulty-proxy.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import type { Nodes, NodesSetup } from '../support/nodes.ts';
import { bodiesInStore, purgeBy, startNodes, sweepNow } from '../support/nodes.ts';
import type { OwnPostgres } from '../support/own-postgres.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { createSchema, runSql } from '../support/postgres.ts';
import { storeEndpoint } from '../support/s3-store.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const BYTES = patternBytes(20_000);
const NEVER = { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' };

async function statusOf(url: string, key: string): Promise<number> {
  const response = await fetch(objectUrl(url, key, 'GET'));
  const found = Buffer.from(await response.arrayBuffer());
  if (response.status === 200) expect(found.equals(BYTES)).toBe(true);
  return response.status;
}

/** @returns the value of a series */
async function metric(url: string, series: string): Promise<number> {
  const text = await (await fetch(`${url}/_gateway/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`ota_gateway_${series} `));
  return Number(line?.split(' ').at(-1));
}

describe('gateways whose engines fail', () => {
  let proxy: FaultyProxy;
  let nodes: Nodes | undefined;
  let postgres: OwnPostgres | undefined;

  beforeEach(async () => {
    proxy = await startFaultyProxy(storeEndpoint());
  });

  afterEach(async () => {
    await nodes?.dispose();
    await postgres?.dispose();
    [nodes, postgres] = [undefined, undefined];
    await proxy.close();
  });

  async function start(count: number, setup: NodesSetup = {}): Promise<Nodes> {
    nodes = await startNodes(count, { endpoint: proxy.url, environment: NEVER, ...setup });
    return nodes;
  }

  it('lose no acknowledged upload when PostgreSQL stops under load, and go on when it is back', async () => {
    postgres = await startOwnPostgres();
    const server = postgres;
    const { running, url } = await start(3, { ledgerUrl: server.url });
    const acknowledged: string[] = [];
    let over = false;
    const drive = async (index: number): Promise<void> => {
      while (!over) {
        const grant = await grantFrom(url(index)).catch(() => undefined);
        if (grant === undefined) continue;
        const { status } = await post({ ...grant, host: url((index + 1) % 3) }, BYTES);
        if (status === 200) acknowledged.push(grant.key);
      }
    };
    const driving = Promise.all([0, 1, 2].map(drive));
    for (let stop = 0; stop < 2; stop += 1) {
      const before = acknowledged.length;
      await eventually(() => acknowledged.length > before + 20);
      await server.stop();
      await server.start();
    }
    const before = acknowledged.length;
    await eventually(() => acknowledged.length > before + 20);
    over = true;
    await driving;
    for (const [at, key] of acknowledged.entries()) {
      expect({ key, status: await statusOf(url(at % 3), key) }).toEqual({ key, status: 200 });
    }
    report('engines', `${String(acknowledged.length)} uploads around two stops of PostgreSQL`);
    expect(new Set(running.map(({ pid }) => pid)).size).toBe(3);
  }, 120_000);

  it.each<[string, Fault | 'refused', string]>([
    ['refuses connections', 'refused', 'silent'],
    ['never answers', 'silence', 'silent'],
    ['cuts its answers', 'lostAnswer', 'silent'],
    ['answers 503', { status: 503, code: 'SlowDown' }, 'failing'],
  ])('answer 503 while the store %s, and go on when it is back', async (_, fault, failure) => {
    const { url } = await start(2);
    const before = await grantFrom(url(0));
    expect((await post(before, BYTES)).status).toBe(200);
    if (fault === 'refused') await proxy.refuse();
    else proxy.choose = () => fault;
    const during = await grantFrom(url(0));
    const [posted, read] = await Promise.all([post(during, BYTES), statusOf(url(1), before.key)]);
    expect({ posted: posted.status, read }).toEqual({ posted: 503, read: 503 });
    expect(await metric(url(0), `store_failures_total{failure="${failure}"}`)).toBe(3);
    expect(await metric(url(0), 'store_retries_total')).toBe(2);
    expect(await metric(url(0), 'store_failing')).toBe(1);
    if (fault === 'refused') await proxy.accept();
    else proxy.choose = () => 'none';
    expect((await post({ ...during, host: url(1) }, BYTES)).status).toBe(200);
    for (const { key } of [before, during]) {
      expect([await statusOf(url(0), key), await statusOf(url(1), key)]).toEqual([200, 200]);
    }
    expect(await metric(url(0), 'store_failing')).toBe(0);
    expect(await metric(url(0), 'ledger_connect_seconds_count')).toBeGreaterThan(2);
    expect(Math.abs(await metric(url(0), 'ledger_clock_ahead_seconds'))).toBeLessThan(1);
  });

  it.each(['refuse', 'hold'] as const)(
    'answer 503 while PostgreSQL does not answer (%s), and go on when it is back',
    async (fault) => {
      const schema = await createSchema();
      const ledger = await TcpProxy.start(new URL(schema.url));
      const { url } = await start(1, { ledgerUrl: ledger.through(new URL(schema.url)).href });
      const before = await grantFrom(url(0));
      ledger[fault]();
      const [signed, posted, listed] = await Promise.all([
        outcomeOf(grantFrom(url(0))),
        post(before, BYTES),
        outcomeOf(callOperatorApi(apiOf(url(0)), { method: 'GET', path: '/uploads' }, z.unknown())),
      ]);
      expect(signed).toMatchObject({ thrown: { status: 503, code: 'ServiceUnavailable' } });
      expect([posted.status, /<Code>(\w+)/.exec(posted.body)?.[1]]).toEqual([
        503,
        'ServiceUnavailable',
      ]);
      expect(listed).toMatchObject({ thrown: { code: 'LedgerUnavailable' } });
      ledger.pass();
      expect((await post(before, BYTES)).status).toBe(200);
      expect(await statusOf(url(0), (await grantFrom(url(0))).key)).toBe(404);
      await nodes?.dispose();
      nodes = undefined;
      await ledger.close();
      await schema.drop();
    },
  );

  it('answer no success for a body that was swept while its gateway stood still', async () => {
    const schema = await createSchema();
    const ledger = await TcpProxy.start(new URL(schema.url));
    const { environment, running, store, url } = await start(2, {
      ledgerUrl: schema.url,
      environmentOf: (index) =>
        index === 0 ? { OTA_GATEWAY_LEDGER_URL: ledger.through(new URL(schema.url)).href } : {},
    });
    const pid = running[0]?.pid ?? 0;
    const grant = await grantFrom(url(0));
    proxy.choose = ({ method }) => {
      // The row of this body comes too late.
      if (method === 'PUT') ledger.hold();
      return 'none';
    };
    const posting = post(grant, BYTES);
    await eventually(async () => (await bodiesInStore(store)).size === 1);
    process.kill(pid, 'SIGSTOP');
    expect(await sweepNow({ environment })).toBe(1);
    expect(await purgeBy(url(1))).toMatchObject({ purged: 1, failed: 0 });
    ledger.pass();
    process.kill(pid, 'SIGCONT');
    expect((await posting).status).toBeGreaterThanOrEqual(500);
    expect(await statusOf(url(1), grant.key)).toBe(404);
    expect(await purgeBy(url(0))).toMatchObject({ purged: 0, failed: 0 });
    await nodes?.dispose();
    nodes = undefined;
    await ledger.close();
    await schema.drop();
  });

  it('count each body once when a gateway stood still in its purge for longer than its lease', async () => {
    const { ledgerUrl, running, store, url } = await start(2, {
      environment: { ...NEVER, OTA_GATEWAY_CLAIM_TTL: '1ms' },
    });
    const pid = running[0]?.pid ?? 0;
    for (let count = 0; count < 80; count += 1) await post(await grantFrom(url(0)), BYTES);
    let deletions = 0;
    proxy.choose = ({ method }) => {
      if (method === 'DELETE' && (deletions += 1) === 10) process.kill(pid, 'SIGSTOP');
      return 'none';
    };
    const late = purgeBy(url(0));
    await eventually(() => deletions >= 10);
    // As if the time of the lease had passed.
    await runSql(ledgerUrl, "UPDATE uploads SET taken_until = 0 WHERE state = 'purging'");
    const other = await purgeBy(url(1));
    process.kill(pid, 'SIGCONT');
    expect({ purged: (await late).purged + other.purged }).toEqual({ purged: 80 });
    expect(other.purged).toBeGreaterThan(0);
    await eventually(async () => (await bodiesInStore(store)).size === 0);
  });
});
