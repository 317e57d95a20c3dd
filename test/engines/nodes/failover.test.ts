import { report } from '../../long/reliability/dice.ts';
import { objectUrl } from '../../long/reliability/kill.ts';
import { eventually } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { claim, grantFrom, post } from '../../support/loop.ts';
import type { Nodes } from '../support/nodes.ts';
import { startNodes } from '../support/nodes.ts';
import type { OwnPostgres } from '../support/own-postgres.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { runSql } from '../support/postgres.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const BYTES = patternBytes(20_000);

/** What was acknowledged. */
interface Log {
  readonly stored: string[];
  readonly claimed: string[];
}

describe('three gateways whose PostgreSQL fails over to a synchronous standby', () => {
  let primary: OwnPostgres;
  let standby: OwnPostgres;
  let address: TcpProxy;
  let nodes: Nodes;
  const ends: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    primary = await startOwnPostgres();
    ends.push(primary.dispose);
    standby = await startOwnPostgres(primary);
    ends.push(standby.dispose);
    await runSql(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await runSql(primary.url, 'SELECT pg_reload_conf()');
    await eventually(async () => {
      const found = await runSql(
        primary.url,
        "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'",
      );
      return found.length === 1;
    });
    address = await TcpProxy.start(new URL(primary.url));
    ends.push(() => address.close());
    nodes = await startNodes(3, { ledgerUrl: address.through(new URL(primary.url)).href });
    ends.push(nodes.dispose);
  }, 60_000);

  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  let names = 0;

  async function useOnce(from: number, log: Log): Promise<void> {
    const grant = await grantFrom(nodes.url(from));
    const { status } = await post({ ...grant, host: nodes.url((from + 1) % 3) }, BYTES);
    if (status !== 200) return;
    log.stored.push(grant.key);
    await claim(nodes.url((from + 2) % 3), grant, `package-${String((names += 1))}`);
    log.claimed.push(grant.key);
  }

  async function failOver(): Promise<void> {
    address.refuse();
    await primary.kill();
    await runSql(standby.url, 'SELECT pg_promote()');
    address.leadTo(new URL(standby.url));
    address.pass();
  }

  it('lose no acknowledged upload or claim, and go on without a restart', async () => {
    const log: Log = { stored: [], claimed: [] };
    let over = false;
    const drive = async (from: number): Promise<void> => {
      // An error says nothing of what was stored.
      while (!over) await useOnce(from, log).catch(() => undefined);
    };
    const driving = Promise.all([0, 1, 2].map(drive));
    try {
      await eventually(() => log.claimed.length > 30, 30_000);
      await failOver();
      const before = log.claimed.length;
      await eventually(() => log.claimed.length > before + 30, 30_000);
    } finally {
      over = true;
      await driving;
    }
    for (const [at, key] of log.stored.entries()) {
      const response = await fetch(objectUrl(nodes.url(at % 3), key, 'GET'));
      const found = Buffer.from(await response.arrayBuffer());
      expect({ key, status: response.status, isSame: found.equals(BYTES) }).toEqual({
        ...{ key, status: 200, isSame: true },
      });
    }
    const claimed = await runSql(
      standby.url,
      "SELECT key FROM uploads WHERE state = 'claimed' AND key = ANY($1)",
      [log.claimed],
    );
    expect(claimed).toHaveLength(log.claimed.length);
    report('failover', `${String(log.stored.length)} uploads, ${String(claimed.length)} claims`);
  }, 120_000);
});
