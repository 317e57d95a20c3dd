import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { Attackers, createTarget } from './attackers.ts';
import { amount, report } from './dice.ts';
import { quantile } from './healthy-client.ts';
import { isAlive, openFiles, processorMs, residentBytes, starvedMs } from './process-facts.ts';
import { SteadyClient } from './steady-client.ts';
import type { Measured } from './steady-client.ts';

const SECONDS = amount('RELIABILITY_SOAK_SECONDS', 120);
const SECONDS_ALONE = 20;
const WARM_UP_SECONDS = 5;
const MIB = 1024 * 1024;
/** Additional memory compared with an idle gateway, in bytes. */
const MEMORY = 400 * MIB;
/** How much longer signed work may take; the floor allows for other work of the machine. */
const LATENCY = { times: 5, floorMs: 50 };
const READY_LIMIT_MS = 10_000;
const FINISH_LIMIT_MS = 30_000;
/** The minimum number of requests for a 99th percentile. */
const ENOUGH = 100;

/** Measurements of a gateway, once per second. */
interface Watched {
  readonly mostMemory: number;
  readonly mostFiles: number;
  readonly slowestReadyMs: number;
  /** A violated limit, with the second in which it was found. It ends the soak. */
  readonly trouble: string | undefined;
}

async function watch(gateway: BuiltGateway, seconds: number, idle: number): Promise<Watched> {
  const { pid } = gateway;
  const from = Date.now();
  let seen: Watched = { mostMemory: 0, mostFiles: 0, slowestReadyMs: 0, trouble: undefined };
  while (Date.now() - from < seconds * 1000 && seen.trouble === undefined) {
    await sleep(1000);
    const asked = Date.now();
    const isReady = await answersReady(gateway);
    const tookMs = Date.now() - asked;
    if (!isAlive(pid)) return { ...seen, trouble: `it has died: ${lastOf(gateway)}` };
    const memory = residentBytes(pid);
    const at = `after ${String(Math.round((Date.now() - from) / 1000))} s`;
    const isTooLarge = memory >= idle + MEMORY;
    seen = {
      mostMemory: Math.max(seen.mostMemory, memory),
      mostFiles: Math.max(seen.mostFiles, openFiles(pid)),
      slowestReadyMs: Math.max(seen.slowestReadyMs, tookMs),
      trouble: isTooLarge
        ? `it holds ${megabytes(memory)} ${at}`
        : isReady
          ? undefined
          : `it is not ready ${at}`,
    };
  }
  return seen;
}

async function answersReady({ url }: BuiltGateway): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(READY_LIMIT_MS);
    return (await fetch(`${url}/_gateway/health/ready`, { signal })).status === 200;
  } catch {
    return false;
  }
}

/** @returns one line for each kind of signed request that took too long */
function compare(alone: Measured, among: Measured): string[] {
  return Object.entries(among.times).flatMap(([kind, times]) => {
    const before = alone.times[kind] ?? [];
    const [p99, p99Alone] = [quantile(times, 0.99), quantile(before, 0.99)];
    const figures =
      `${kind}: p99 ${p99.toFixed(1)} ms, ${p99Alone.toFixed(1)} alone, ` +
      `${(p99 / p99Alone).toFixed(2)} times; median ${quantile(times, 0.5).toFixed(1)} ms, ` +
      `${quantile(before, 0.5).toFixed(1)} alone; ${String(times.length)} of them`;
    report('soak', figures);
    const isSlow = p99 > LATENCY.times * p99Alone + LATENCY.floorMs;
    return isSlow && times.length >= ENOUGH ? [figures] : [];
  });
}

describe('signed work beside all kinds of hostile clients', () => {
  it(
    `continues at nearly the same speed for ${String(SECONDS)} seconds, and nothing grows`,
    async () => {
      const folder = await temporaryFolder();
      const gateway = await startBuiltGateway(join(folder.path, 'data'), {
        OTA_GATEWAY_CALLBACK_HOSTS: '127.0.0.1',
        // Otherwise a long run would fill the disk.
        OTA_GATEWAY_CLAIM_TTL: '20s',
        OTA_GATEWAY_PURGE_CRON: '*/5 * * * * *',
      });
      const target = await createTarget(gateway);
      const steady = await SteadyClient.start(gateway.url);
      const workAlone = async (seconds: number): Promise<Measured> => {
        steady.begin();
        const tellShares = shareOfTime(gateway.pid, 'alone');
        await sleep(seconds * 1000);
        tellShares();
        return steady.finish();
      };
      await workAlone(WARM_UP_SECONDS);
      const alone = await workAlone(SECONDS_ALONE);
      expect(alone.failures).toEqual([]);
      const idle = { memory: residentBytes(gateway.pid), files: openFiles(gateway.pid) };

      const attackers = await Attackers.start(target);
      steady.begin();
      const tellShares = shareOfTime(gateway.pid, 'among');
      const left = SECONDS - SECONDS_ALONE - WARM_UP_SECONDS;
      const { mostFiles, mostMemory, slowestReadyMs, trouble } = await watch(
        gateway,
        left,
        idle.memory,
      );
      if (isAlive(gateway.pid)) tellShares();
      const outcomes = await attackers.stop();
      report('soak', `attackers: ${JSON.stringify(outcomes)}`);
      report('soak', `memory: ${megabytes(idle.memory)} idle, ${megabytes(mostMemory)} at most`);
      report('soak', `descriptors: ${String(idle.files)} idle, ${String(mostFiles)} at most`);
      report('soak', `slowest ready: ${String(slowestReadyMs)} ms`);
      // A failing gateway may never finish the work.
      const among = await Promise.race([steady.finish(), sleep(FINISH_LIMIT_MS, undefined)]);
      const slow = among && compare(alone, among);
      expect(trouble).toBeUndefined();
      expect(among?.failures).toEqual([]);
      expect(slow).toEqual([]);

      steady.stop();
      await eventually(() => openFiles(gateway.pid) <= idle.files + 5, 30_000);
      await eventually(async () => (await bodiesOnDisk(gateway.dataDir)).staging.length === 0);
      const files = openFiles(gateway.pid);
      const memory = residentBytes(gateway.pid);
      report('soak', `afterwards ${megabytes(memory)} and ${String(files)} descriptors`);
      expect(gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
      expect(await gateway.stop()).toBe(0);
      await folder.remove();
    },
    120_000 + SECONDS * 1000,
  );
});

/**
 * Starts to measure how a gateway uses its time. If it waits long for a processor, the machine is busy with other work,
 * and the latencies mean little.
 * @returns a function that describes the result
 */
function shareOfTime(pid: number, when: string): () => void {
  const facts = (): number[] => [Date.now(), processorMs(pid), starvedMs(pid)];
  const before = facts();
  return () => {
    const [time = 1, used = 0, starved = 0] = facts().map((fact, n) => fact - (before[n] ?? 0));
    report(
      'soak',
      `${when} the gateway used ${percent(used / time)} of a processor, and waited for one ` +
        `${percent(starved / time)} of the time`,
    );
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function lastOf({ output }: BuiltGateway): string {
  return JSON.stringify(output().slice(-3000));
}

function megabytes(bytes: number): string {
  return `${String(Math.round(bytes / MIB))} MiB`;
}
