import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signV1 } from '../../http/iot/api.ts';
import {
  ACCOUNT_KEY,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { peakBytes } from './process-facts.ts';

const HOUR = 3_600_000;
const YEAR = 366 * 24 * HOUR;
const MIB = 1024 * 1024;

/** Much longer than a response takes, and much shorter than a search through the seconds of a year. */
const ANSWER_LIMIT_MS = 10_000;
const MEMORY_LIMIT = 400 * MIB;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let gateway: BuiltGateway;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  expect(await gateway.stop()).toBe(0);
  await folder.remove();
});

/** Sets the difference of the gateway's wall clock to that of the machine. */
function setOff(milliseconds: number): void {
  const file = join(folder.path, 'offset');
  // Atomic, so that the file is never read while it is empty.
  writeFileSync(`${file}.new`, String(milliseconds));
  renameSync(`${file}.new`, file);
}

/** Starts a gateway that purges every second. */
async function start(off: number, zone = 'UTC'): Promise<void> {
  setOff(off);
  gateway = await startBuiltGateway(join(folder.path, 'data'), {
    TZ: zone,
    NODE_OPTIONS: `--require ${join(__dirname, 'shift-clock.js')}`,
    CLOCK_OFFSET_FILE: join(folder.path, 'offset'),
    OTA_GATEWAY_PURGE_CRON: '* * * * * *',
    OTA_GATEWAY_LOG_LEVEL: 'debug',
  });
}

function countPurges(): number {
  return gateway.output().match(/"msg":"purged(?: nothing)?"/g)?.length ?? 0;
}

async function nextPurges(count: number): Promise<void> {
  const before = countPurges();
  await eventually(() => countPurges() >= before + count);
}

/** Checks after every step that the gateway responds, purges, and does not catch up on skipped runs. */
async function checkHealth(): Promise<void> {
  const before = countPurges();
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  expect((await fetch(`${gateway.url}/_gateway/health/ready`, { signal })).status).toBe(200);
  await nextPurges(2);
  const seconds = (performance.now() - startedAt) / 1000;
  expect(countPurges() - before).toBeLessThanOrEqual(Math.ceil(seconds) + 2);
  expect(peakBytes(gateway.pid)).toBeLessThan(MEMORY_LIMIT);
  expect(gateway.output()).not.toContain('NODE-CRON');
}

describe('a gateway whose clock is set', () => {
  it('works as before after steps of hours and decades, forward and back', async () => {
    // A board that boots in 1970 and gets the time later.
    await start(-Date.now() + 60_000);
    await checkHealth();
    for (const off of [0, -2 * HOUR, YEAR, 60 * YEAR, -YEAR, 0]) {
      setOff(off);
      await checkHealth();
    }
  }, 60_000);

  it('works as before when the clock was set while the process was suspended', async () => {
    await start(0);
    for (const off of [YEAR, -2 * HOUR, 30 * YEAR, 0]) {
      process.kill(gateway.pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      setOff(off);
      process.kill(gateway.pid, 'SIGCONT');
      await checkHealth();
    }
  }, 60_000);

  it('works as before in the hour that repeats when summer time ends', async () => {
    const end = Date.UTC(2026, 10, 1, 6);
    await start(end - 5000 - Date.now(), 'America/New_York');
    for (let turn = 0; turn < 3; turn += 1) await checkHealth();
  }, 60_000);

  it('rejects a call that was signed before', async () => {
    await start(0);
    const call = signV1('GenerateOTAUploadURL', {}, { key: ACCOUNT_KEY, time: Date.now() });
    const make = async (): Promise<unknown> =>
      (await fetch(`${gateway.url}/?${new URLSearchParams(call).toString()}`)).json();
    expect(await make()).toMatchObject({ Success: true });
    for (const hours of [1, 24, 24 * 365]) {
      setOff(hours * HOUR);
      await nextPurges(2);
      setOff(0);
      expect(await make()).toMatchObject({ Code: 'SignatureNonceUsed' });
    }
  }, 60_000);
});
