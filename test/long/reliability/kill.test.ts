import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { MAIN, startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { amount, Dice, report } from './dice.ts';
import { findProblems, inspectData } from './inspect-data.ts';
import { KillLog } from './kill.ts';

const KILLS = amount('RELIABILITY_KILLS', 20);
const CLIENTS = 6;
const PACKAGES_KEPT = 30;
const CLAIM_TTL_MS = 1500;
const SETTINGS = {
  OTA_GATEWAY_CLAIM_TTL: `${String(CLAIM_TTL_MS)}ms`,
  OTA_GATEWAY_PURGE_CRON: '* * * * * *',
  OTA_GATEWAY_MAX_PACKAGES: '1000000',
};

/** The share of kills after which the next start is killed, too, usually before it accepts requests. */
const WHILE_STARTING = 0.15;

describe('kill -9 at any moment', () => {
  it(
    `loses no acknowledged file, and leaves nothing behind, in ${String(KILLS)} kills`,
    async () => {
      const dice = Dice.roll('kill');
      const folder = await temporaryFolder();
      const dataDir = join(folder.path, 'data');
      const log = new KillLog(CLAIM_TTL_MS);
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const gateway = await startBuiltGateway(dataDir, SETTINGS);
        expect({ kill, problems: await findAll(log, gateway) }).toEqual({ kill, problems: [] });
        await log.trim(gateway.url, PACKAGES_KEPT);
        await driveAndKill(gateway, log, dice);
        if (dice.chance(WHILE_STARTING)) await killWhileStarting(dataDir, dice);
        if (kill % 20 === 0)
          report('kill', `${String(kill)} kills ${JSON.stringify(log.acknowledged)}`);
      }
      const last = await startBuiltGateway(dataDir, SETTINGS);
      expect(await findAll(log, last)).toEqual([]);
      expect(await last.stop()).toBe(0);
      expect(log.acknowledged.stored).toBeGreaterThan(KILLS);
      expect(log.acknowledged.removed).toBeGreaterThan(0);
      // A kill damages nothing, so nothing is set aside for the operator.
      expect(await readdir(dataDir)).not.toContain('lost');
      await folder.remove();
    },
    60_000 + 10_000 * KILLS,
  );
});

/** @returns one line for each problem */
async function findAll(log: KillLog, { dataDir }: BuiltGateway): Promise<string[]> {
  const found = await inspectData(dataDir);
  return [...(await findProblems(found)), ...(await log.verify(found))];
}

async function driveAndKill(gateway: BuiltGateway, log: KillLog, dice: Dice): Promise<void> {
  let over = false;
  const choose = (): string => gateway.url;
  const driving = Promise.all(
    Array.from({ length: CLIENTS }, () => log.drive(choose, dice.fork(), () => over)),
  );
  await Promise.race([sleep(20 + dice.below(600)), driving]);
  await gateway.kill();
  over = true;
  await driving;
}

async function killWhileStarting(dataDir: string, dice: Dice): Promise<void> {
  const args = [MAIN, 'serve', '--port', '0', '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await sleep(dice.below(400));
  child.kill('SIGKILL');
  await exited;
}
