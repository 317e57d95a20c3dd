import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually } from '../../support/built-gateway.ts';
import { amount, Dice, report } from '../../long/reliability/dice.ts';
import type { DataContent } from '../../long/reliability/inspect-data.ts';
import { findLosses, findOrphans, parseRows } from '../../long/reliability/inspect-data.ts';
import { KillLog, objectUrl } from '../../long/reliability/kill.ts';
import type { BodyRequests } from '../support/body-requests.ts';
import {
  countBodyRequests,
  countRepeats,
  findDeletionProblems,
  named,
} from '../support/body-requests.ts';
import type { FaultyProxy } from '../support/faulty-proxy.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import type { Nodes } from '../support/nodes.ts';
import { bodiesInStore, purgeBy, startNodes, sweepNow } from '../support/nodes.ts';
import { runSql } from '../support/postgres.ts';
import { storeEndpoint } from '../support/s3-store.ts';

const KILLS = amount('RELIABILITY_NODE_KILLS', 10);
const NODES = 3;
const CLIENTS = 6;
const KIB = 1024;
/** Longer than the test. */
const CLAIM_TTL_MS = 24 * 3_600_000;
/** For this time after it has taken a body no other node deletes it. */
const LEASE_MS = 60_000;
const SETTINGS = {
  OTA_GATEWAY_CLAIM_TTL: `${String(CLAIM_TTL_MS)}ms`,
  OTA_GATEWAY_PURGE_CRON: '* * * * * *',
};

const bodySize = (dice: Dice): number => 4 * KIB + dice.below(596 * KIB + 1);

/** Reads the ledger and the store directly. */
async function inspect({ ledgerUrl, store }: Nodes): Promise<DataContent> {
  const before = await bodiesInStore(store);
  const rows = parseRows({
    uploads: await runSql(
      ledgerUrl,
      'SELECT *, size::integer, stored_at::float8, purging_since::float8 FROM uploads ORDER BY sequence',
    ),
    packages: await runSql(ledgerUrl, 'SELECT id FROM firmware_packages'),
  });
  return {
    ...rows,
    bodies: before,
    remaining: new Set((await bodiesInStore(store)).keys()),
    staging: [],
    read: async (locator) => {
      const body = await store.bodies.open(locator);
      if (body === undefined) return undefined;
      return buffer(body);
    },
  };
}

/** Gateways that are killed. Each start of one has a name of its own. */
interface Victims {
  readonly nodes: Nodes;
  /** The names of those that were killed. */
  readonly killed: ReadonlySet<string>;
  /** Kills one, which can be started again. */
  kill(index: number): Promise<void>;
}

async function startVictims(endpoint: string): Promise<Victims> {
  const killed = new Set<string>();
  const starts: number[] = [];
  const nameOf = (index: number): string => `node-${String(index)}-${String(starts[index] ?? 0)}`;
  const nodes = await startNodes(NODES, {
    endpoint,
    // The sweep is a process of its own.
    environment: { ...SETTINGS, ...named('sweep') },
    environmentOf: (index) => {
      starts[index] = (starts[index] ?? 0) + 1;
      return named(nameOf(index));
    },
  });
  return {
    ...{ nodes, killed },
    kill: async (index) => {
      killed.add(nameOf(index));
      await nodes.running[index]?.kill();
    },
  };
}

/** Kills one node at a time while clients use all of them. */
async function driveAndKill({ kill, nodes }: Victims, log: KillLog, dice: Dice): Promise<void> {
  let over = false;
  const alive = new Set<BuiltGateway>(nodes.running);
  const drive = async (own: Dice): Promise<void> => {
    const choose = (): string => own.pick([...alive]).url;
    // It returns when a gateway was killed; the clients go on with the others.
    while (!over) await log.drive(choose, own, () => over);
  };
  const driving = Promise.all(Array.from({ length: CLIENTS }, () => drive(dice.fork())));
  const killing = async (): Promise<void> => {
    for (let count = 1; count <= KILLS; count += 1) {
      await sleep(20 + dice.below(400));
      const index = dice.below(NODES);
      const victim = nodes.running[index];
      if (victim === undefined) throw new Error(`there is no node ${String(index)}`);
      const killed = kill(index);
      alive.delete(victim);
      await killed;
      await nodes.restart(index);
      for (const node of nodes.running) if (node.pid !== victim.pid) alive.add(node);
      if (count % 20 === 0)
        report('nodes', `${String(count)} kills ${JSON.stringify(log.acknowledged)}`);
    }
  };
  try {
    await Promise.race([killing(), driving]);
  } finally {
    over = true;
  }
  await driving;
}

/** @returns the objects that a node does not give back as they were sent, or still has after their deletion */
async function findUnreadable(url: string, log: KillLog): Promise<string[]> {
  const problems: string[] = [];
  for (const { bytes, key } of log.objects()) {
    const response = await fetch(objectUrl(url, key, 'GET'));
    const found = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200 || !found.equals(bytes)) {
      problems.push(`${key} at ${url}: ${String(response.status)}`);
    }
  }
  for (const key of log.goneKeys()) {
    const { status } = await fetch(objectUrl(url, key, 'GET'));
    if (status !== 404) problems.push(`${key} at ${url} was deleted: ${String(status)}`);
  }
  return problems;
}

/** Purges the store as if the leases of the killed nodes had ended. */
async function purgeAll(nodes: Nodes, lastKill: number): Promise<void> {
  const { ledgerUrl, url } = nodes;
  await runSql(
    ledgerUrl,
    "UPDATE uploads SET taken_until = 0 WHERE state = 'purging' AND taken_until <= $1",
    [lastKill + LEASE_MS],
  );
  await purgeBy(url(0));
  // What the other nodes have taken at the same time.
  await eventually(async () => {
    const left = await runSql(ledgerUrl, "SELECT key FROM uploads WHERE state = 'purging'");
    return left.length === 0;
  });
}

/** @returns the orphans that no killed node has written */
function findUnexplained(
  orphans: readonly string[],
  { writes }: BodyRequests,
  killed: ReadonlySet<string>,
): string[] {
  return orphans.filter((locator) => !killed.has(writes.get(locator)?.at(-1) ?? ''));
}

describe('kill -9 of one of three gateways at any moment', () => {
  let proxy: FaultyProxy;

  beforeEach(async () => {
    proxy = await startFaultyProxy(storeEndpoint());
  });

  afterEach(() => proxy.close());

  it(
    `loses nothing acknowledged, deletes each body once, and leaves nothing that a sweep does not remove, in ${String(KILLS)} kills`,
    async () => {
      const dice = Dice.roll('nodes');
      const requests = countBodyRequests(proxy);
      const victims = await startVictims(proxy.url);
      const { killed, nodes } = victims;
      try {
        const log = new KillLog(CLAIM_TTL_MS, bodySize);
        await driveAndKill(victims, log, dice);
        const lastKill = Date.now();
        const found = await inspect(nodes);
        expect([...(await findLosses(found)), ...(await log.verify(found))]).toEqual([]);
        const readers = nodes.running.map(({ url }) => findUnreadable(url, log));
        expect((await Promise.all(readers)).flat()).toEqual([]);

        const orphans = findOrphans(found);
        expect(findUnexplained(orphans, requests, killed)).toEqual([]);
        expect(orphans.length).toBeLessThanOrEqual(KILLS * CLIENTS);
        expect(await sweepNow(nodes)).toBe(orphans.length);
        await purgeAll(nodes, lastKill);
        const left = await inspect(nodes);
        expect(findOrphans(left)).toEqual([]);
        expect([...(await findLosses(left)), ...(await log.verify(left))]).toEqual([]);
        expect(findDeletionProblems(left.rows, requests, killed)).toEqual([]);
        const counts = {
          ...{ kills: KILLS, ...log.acknowledged, orphans: orphans.length },
          ...{ readBack: log.objects().length, gone: log.goneKeys().length },
          ...{ bodiesDeleted: requests.deletions.size, deletedAgain: countRepeats(requests) },
        };
        report('nodes', JSON.stringify(counts));
        expect(log.acknowledged.stored).toBeGreaterThan(KILLS);
        for (const count of Object.values(log.acknowledged)) expect(count).toBeGreaterThan(0);
      } finally {
        await nodes.dispose();
      }
    },
    60_000 + 20_000 * KILLS,
  );
});
