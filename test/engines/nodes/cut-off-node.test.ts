import { report } from '../../long/reliability/dice.ts';
import { objectUrl } from '../../long/reliability/kill.ts';
import { eventually } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { claim, codeOf, grantFrom, post } from '../../support/loop.ts';
import type { CutOff } from '../support/cut-off.ts';
import { createCutOff } from '../support/cut-off.ts';
import type { Nodes } from '../support/nodes.ts';
import { startNodes } from '../support/nodes.ts';
import { createSchema, runSql } from '../support/postgres.ts';
import { storeEndpoint } from '../support/s3-store.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const BYTES = patternBytes(20_000);
/** Names the connections of the gateway that is cut off. */
const APPLICATION = `cut-off-${String(process.pid)}`;
/** What a claim sends when it has taken the lock of its account. */
const LOCK = 'lock_account';

describe('a gateway that is cut off from its engines in a network namespace', () => {
  let network: CutOff;
  let schema: Awaited<ReturnType<typeof createSchema>>;
  let ledger: TcpProxy;
  let store: TcpProxy;
  let nodes: Nodes | undefined;

  beforeEach(async () => {
    network = createCutOff();
    schema = await createSchema();
    ledger = await TcpProxy.start(new URL(schema.url), network.engines);
    store = await TcpProxy.start(new URL(storeEndpoint()), network.engines);
  });

  afterEach(async () => {
    await nodes?.dispose();
    await Promise.all([ledger.close(), store.close()]);
    network.remove();
    await schema.drop();
  });

  async function start(): Promise<Nodes> {
    const ledgerUrl = ledger.through(new URL(schema.url));
    ledgerUrl.searchParams.set('application_name', APPLICATION);
    const inside = {
      OTA_GATEWAY_HOST: network.address,
      OTA_GATEWAY_LEDGER_URL: ledgerUrl.href,
    };
    nodes = await startNodes(2, {
      ledgerUrl: schema.url,
      endpoint: store.through(new URL(storeEndpoint())).origin,
      environment: { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' },
      environmentOf: (index) => (index === 0 ? inside : {}),
      launcherOf: (index) => (index === 0 ? network.launcher : []),
    });
    return nodes;
  }

  /** @returns the key of an upload that was acknowledged */
  async function upload(url: string): Promise<string> {
    const grant = await grantFrom(url);
    const { status } = await post(grant, BYTES);
    expect(status).toBe(200);
    return grant.key;
  }

  /** Whether the gateway that is cut off has a transaction that holds locks. */
  async function holdsLocks(): Promise<boolean> {
    const open = await runSql(
      schema.url,
      `SELECT FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'`,
      [APPLICATION],
    );
    return open.length > 0;
  }

  async function isReady(url: string): Promise<boolean> {
    return (await fetch(`${url}/_gateway/health/ready`)).status === 200;
  }

  it('refuses calls with 503, holds the others up for 10 seconds at most, and goes on when packets flow again', async () => {
    const { running, url } = await start();
    const [cut, other] = [url(0), url(1)];
    const acknowledged = [await upload(cut), await upload(other)];
    const claimed = await grantFrom(cut);
    expect((await post(claimed, BYTES)).status).toBe(200);
    const waiting = await grantFrom(cut);
    ledger.onSent = (bytes) => {
      // PostgreSQL gets it, and its answers vanish: the transaction stays open, with the lock of the account.
      if (bytes.includes(LOCK)) network.cut();
    };
    const lost = codeOf(claim(cut, claimed, 'lost'));
    await eventually(() => !network.isUp());
    ledger.onSent = undefined;

    await eventually(holdsLocks);
    let tries = 0;
    const taken = eventually(async () => {
      tries += 1;
      return (await codeOf(claim(other, { ...claimed, host: other }, 'taken'))) === 'ok';
    }, 30_000);
    // Uploads of the other gateway need no lock of the account.
    for (let count = 0; count < 5; count += 1) acknowledged.push(await upload(other));
    const refused = await Promise.all([
      lost,
      codeOf(grantFrom(cut)),
      post(waiting, BYTES).then(({ status }) => status),
      fetch(objectUrl(cut, claimed.key, 'GET')).then(({ status }) => status),
      isReady(cut),
    ]);
    expect(refused).toEqual(['ServiceUnavailable', 'ServiceUnavailable', 503, 503, false]);
    await taken;
    expect(await holdsLocks()).toBe(false);
    report('engines', `the other gateway claimed at try ${String(tries)}`);
    expect(await isReady(other)).toBe(true);

    network.mend();
    await eventually(() => isReady(cut), 30_000);
    expect((await post(waiting, BYTES)).status).toBe(200);
    expect(await codeOf(claim(cut, waiting, 'late'))).toBe('ok');
    acknowledged.push(await upload(cut), claimed.key, waiting.key);
    for (const key of acknowledged) {
      for (const address of [cut, other]) {
        const response = await fetch(objectUrl(address, key, 'GET'));
        expect(Buffer.from(await response.arrayBuffer()).equals(BYTES)).toBe(true);
      }
    }
    expect(new Set(running.map(({ pid }) => pid)).size).toBe(2);
  }, 120_000);
});
