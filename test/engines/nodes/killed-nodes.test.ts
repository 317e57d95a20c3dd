import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { amount, Dice, report } from '../../long/reliability/dice.ts';
import type { DataContent } from '../../long/reliability/inspect-data.ts';
import { findLosses, findOrphans, parseRows } from '../../long/reliability/inspect-data.ts';
import { KillLog, objectUrl } from '../../long/reliability/kill.ts';
import type { Nodes } from '../support/nodes.ts';
import { bodiesInStore, purgeBy, startNodes, sweepNow } from '../support/nodes.ts';
import { runSql } from '../support/postgres.ts';

const KILLS = amount('RELIABILITY_NODE_KILLS', 10);
const NODES = 3;
const CLIENTS = 6;
const KIB = 1024;
/** Longer than the test. */
const CLAIM_TTL_MS = 24 * 3_600_000;
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

/** Kills one node at a time while clients use all of them. */
async function driveAndKill(nodes: Nodes, log: KillLog, dice: Dice): Promise<void> {
  let over = false;
  const alive = new Set<BuiltGateway>(nodes.running);
  const drive = async (own: Dice): Promise<void> => {
    const choose = (): string => own.pick([...alive]).url;
    // It returns when a gateway was killed; the clients go on with the others.
    while (!over) await log.drive(choose, own, () => over);
  };
  const driving = Promise.all(Array.from({ length: CLIENTS }, () => drive(dice.fork())));
  const killing = async (): Promise<void> => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await sleep(20 + dice.below(400));
      const index = dice.below(NODES);
      const victim = nodes.running[index];
      if (victim === undefined) throw new Error(`there is no node ${String(index)}`);
      const killed = victim.kill();
      alive.delete(victim);
      await killed;
      await nodes.restart(index);
      for (const node of nodes.running) if (node.pid !== victim.pid) alive.add(node);
      if (kill % 20 === 0)
        report('nodes', `${String(kill)} kills ${JSON.stringify(log.acknowledged)}`);
    }
  };
  try {
    await Promise.race([killing(), driving]);
  } finally {
    over = true;
  }
  await driving;
}

/** @returns the objects that a node does not give back as they were sent */
async function findUnreadable(url: string, log: KillLog): Promise<string[]> {
  const problems: string[] = [];
  for (const { bytes, key } of log.objects()) {
    const response = await fetch(objectUrl(url, key, 'GET'));
    const found = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200 || !found.equals(bytes)) {
      problems.push(`${key} at ${url}: ${String(response.status)}`);
    }
  }
  return problems;
}

describe('kill -9 of one of three gateways at any moment', () => {
  it(
    `loses no acknowledged file, and leaves nothing that a sweep does not remove, in ${String(KILLS)} kills`,
    async () => {
      const dice = Dice.roll('nodes');
      const nodes = await startNodes(NODES, { environment: SETTINGS });
      try {
        const log = new KillLog(CLAIM_TTL_MS, bodySize);
        await driveAndKill(nodes, log, dice);
        const found = await inspect(nodes);
        expect([...(await findLosses(found)), ...(await log.verify(found))]).toEqual([]);
        const readers = nodes.running.map(({ url }) => findUnreadable(url, log));
        expect((await Promise.all(readers)).flat()).toEqual([]);

        const orphans = findOrphans(found);
        expect(await sweepNow(nodes)).toBe(orphans.length);
        await purgeBy(nodes.url(0));
        const left = await inspect(nodes);
        expect(orphans.filter((locator) => left.remaining.has(locator))).toEqual([]);
        expect(findOrphans(left)).toEqual([]);
        expect([...(await findLosses(left)), ...(await log.verify(left))]).toEqual([]);
        const counts = { kills: KILLS, ...log.acknowledged, orphans: orphans.length };
        report('nodes', JSON.stringify({ ...counts, readBack: log.objects().length }));
        expect(log.acknowledged.stored).toBeGreaterThan(KILLS);
        expect(log.acknowledged.claimed).toBeGreaterThan(0);
      } finally {
        await nodes.dispose();
      }
    },
    60_000 + 10_000 * KILLS,
  );
});
