import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { Attackers, createTarget } from './attackers.ts';
import type { Outcomes, Target } from './attackers.ts';
import { report } from './dice.ts';
import { HealthyClient, quantile } from './healthy-client.ts';
import { isAlive, openFiles, processorMs, residentBytes } from './process-facts.ts';

jest.setTimeout(90_000);

const MIB = 1024 * 1024;
/** How much more memory than an idle gateway it may use, in bytes. */
const MEMORY = { during: 256 * MIB, afterwards: 200 * MIB };
const ATTACK_LIMIT_MS = 45_000;
/** Longer than a garbage collection and the kernel's cleanup take. */
const CALM_LIMIT_MS = 15_000;
const UPLOADS = 200;
/** The bytes that all senders of spaces send together. */
const SPACES_MIB = 32;

/** The beginning of a record of 200 bytes with a ClientHello; the rest is zeros. */
const CLIENT_HELLO = Buffer.concat([
  Buffer.from('16030100c8010000c40303', 'hex'),
  Buffer.alloc(194),
]);

/** The resources of a process. */
interface Held {
  readonly memory: number;
  readonly files: number;
}

/** The measurements of a gateway during an attack. */
interface Watched {
  readonly outcomes: Outcomes;
  readonly most: Held;
}

function heldBy(pid: number): Held {
  return { memory: residentBytes(pid), files: openFiles(pid) };
}

/**
 * Measures a gateway until an attack is over and it has answered another request: what it has received may take it
 * longer than the attack. Stops the attack when the memory exceeds its limit, so that a failing test does not use up
 * the memory of the machine.
 */
async function watch(gateway: BuiltGateway, attackers: Attackers, idle: Held): Promise<Watched> {
  const deadline = Date.now() + ATTACK_LIMIT_MS;
  let most = idle;
  const over = new AbortController();
  const answered = attackers.finished
    .then(() => answersReady(gateway))
    .catch(() => undefined)
    .finally(() => over.abort());
  while (!over.signal.aborted && Date.now() < deadline && isAlive(gateway.pid)) {
    const { memory, files } = heldBy(gateway.pid);
    most = { memory: Math.max(most.memory, memory), files: Math.max(most.files, files) };
    if (memory > idle.memory + 3 * MEMORY.during) break;
    await Promise.race([answered, sleep(50)]);
  }
  return { outcomes: await attackers.stop(), most };
}

async function answersReady({ url }: BuiltGateway): Promise<boolean> {
  const signal = AbortSignal.timeout(ATTACK_LIMIT_MS);
  return (await fetch(`${url}/_gateway/health/ready`, { signal })).ok;
}

describe('a hostile client', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;
  let target: Target;
  let healthy: HealthyClient;
  let idle: Held;

  beforeEach(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'), {
      OTA_GATEWAY_CALLBACK_HOSTS: '127.0.0.1',
    });
    target = await createTarget(gateway);
    healthy = await HealthyClient.start(gateway.url);
    await healthy.begin(UPLOADS);
    await healthy.finish();
    for (let n = 0; n < 3; n += 1) {
      const grant = await grantFrom(gateway.url);
      expect(await post(grant, patternBytes(2 * MIB))).toMatchObject({ status: 200 });
    }
    idle = heldBy(gateway.pid);
  });

  afterEach(async () => {
    healthy.stop();
    // After an attack the stop may take the whole grace time.
    await gateway.kill();
    await folder.remove();
  });

  /**
   * Lets attackers attack beside a healthy client, all of whose uploads must succeed.
   * @returns the outcomes of the attackers, and the upload times of the client
   */
  async function attack(...names: string[]): Promise<{ outcomes: Outcomes; times: number[] }> {
    const uploading = healthy.begin(1);
    const attackers = await Attackers.start(target, names);
    const { most, outcomes } = await watch(gateway, attackers, idle);
    report('abuse', `${names.join(', ')}: ${JSON.stringify(outcomes)}`);
    report('abuse', `idle ${show(idle)}, at most ${show(most)}`);
    expect(lastIfDead(gateway)).toBe('');
    expect(most.memory).toBeLessThan(idle.memory + MEMORY.during);
    await uploading;
    const times = await healthy.finish();
    return { outcomes, times };
  }

  /** Checks that an attack leaves no memory, descriptor, file or error in the log. */
  async function expectCalm(): Promise<void> {
    await eventually(() => openFiles(gateway.pid) <= idle.files + 5, CALM_LIMIT_MS);
    await eventually(
      () => residentBytes(gateway.pid) < idle.memory + MEMORY.afterwards,
      CALM_LIMIT_MS,
    );
    report('abuse', `afterwards ${show(heldBy(gateway.pid))}`);
    expect((await bodiesOnDisk(gateway.dataDir)).staging).toEqual([]);
    expect(gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
    const grant = await grantFrom(gateway.url);
    expect(await post(grant, patternBytes(1000))).toMatchObject({ status: 200 });
  }

  it.each([
    'pipelines and resets',
    'pipelines and reads no answer',
    'pipelines refused forms and resets',
    'calls the API in one-byte chunks',
    'sends fields in one-byte chunks',
    'calls wrongly signed and reads no answer',
    'stores large headers',
    'multiplies a field in a callback',
  ])('that %s costs limited memory, and leaves nothing', async (name) => {
    await attack(name);
    await expectCalm();
  });

  it('that pipelines downloads and resets opens one file for each connection', async () => {
    const connections = 80;
    const name = 'pipelines downloads and resets';
    const attackers = await Attackers.start(target, [name]);
    const { most } = await watch(gateway, attackers, idle);
    report('abuse', `${name}: idle ${show(idle)}, at most ${show(most)}`);
    expect(lastIfDead(gateway)).toBe('');
    expect(most.files).toBeLessThanOrEqual(idle.files + 2 * connections + 50);
    expect(most.memory).toBeLessThan(idle.memory + MEMORY.during);
    await expectCalm();
  });

  it('that holds 8 MiB of unsigned fields is rejected when there are too many, and signed uploads continue', async () => {
    const name = 'holds 8 MiB of unsigned fields';
    const { outcomes, times } = await attack(name);
    expect(times.length).toBeGreaterThan(10);
    const { '503 ServiceUnavailable': refused = 0, cut = 0 } = outcomes[name] ?? {};
    expect(refused + cut).toBeGreaterThan(500);
    await expectCalm();
  });

  it('that sends spaces after a boundary costs little processor time', async () => {
    const beforeAlone = processorMs(gateway.pid);
    await healthy.begin(UPLOADS);
    const alone = await healthy.finish();
    const beforeAttack = processorMs(gateway.pid);
    const uploadMs = (beforeAttack - beforeAlone) / alone.length;
    const { times } = await attack('sends spaces behind a boundary');
    const spentMs = processorMs(gateway.pid) - beforeAttack - uploadMs * times.length;
    const [p99, p99Alone] = [quantile(times, 0.99), quantile(alone, 0.99)];
    report(
      'abuse',
      `${(spentMs / SPACES_MIB).toFixed(0)} ms of processor time a MiB; p99 of ${String(times.length)} ` +
        `uploads: ${p99.toFixed(1)} ms, ${p99Alone.toFixed(1)} alone`,
    );
    expect(spentMs / SPACES_MIB).toBeLessThan(100);
    expect(p99).toBeLessThan(5 * p99Alone + 50);
    await expectCalm();
  });

  it('that never ends its headers is disconnected, and costs limited memory until then', async () => {
    const { outcomes } = await attack('never ends one long header', 'never ends its many headers');
    for (const counts of Object.values(outcomes)) expect(counts).not.toHaveProperty('not cut');
    await expectCalm();
  });
});

describe('a TLS handshake that never ends', () => {
  it.each<[string, (write: (bytes: Buffer) => void) => void]>([
    ['nothing is sent', () => undefined],
    [
      'its first record does not end',
      (write) => {
        write(CLIENT_HELLO.subarray(0, 11));
      },
    ],
    [
      'its first record comes byte by byte',
      (write) => {
        const bytes = CLIENT_HELLO.values();
        const drip = setInterval(() => {
          write(Buffer.from([bytes.next().value ?? 0]));
        }, 250);
        drip.unref();
      },
    ],
  ])('ends by the idle timeout when %s', async (_name, begin) => {
    const folder = await temporaryFolder();
    const { certFile, keyFile } = createPrivateCa(folder.path);
    const gateway = await startBuiltGateway(join(folder.path, 'data'), {
      OTA_GATEWAY_TLS_CERT: certFile,
      OTA_GATEWAY_TLS_KEY: keyFile,
      OTA_GATEWAY_IDLE_TIMEOUT: '2s',
    });
    const before = openFiles(gateway.pid);
    const socket = connect({ port: gateway.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.resume();
    const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
    const from = Date.now();
    begin((bytes) => {
      if (!socket.destroyed) socket.write(bytes);
    });
    const isCut = await Promise.race([closed, sleep(12_000).then(() => false)]);
    report(
      'abuse',
      `a TLS handshake was ${isCut ? 'cut' : 'not cut'} after ${Date.now() - from} ms`,
    );
    socket.destroy();
    await eventually(() => openFiles(gateway.pid) <= before + 1);
    await gateway.stop();
    await folder.remove();
    expect(isCut).toBe(true);
  });
});

/** @returns the last output of a gateway that has ended unexpectedly; empty while it runs */
function lastIfDead({ output, pid }: BuiltGateway): string {
  return isAlive(pid) ? '' : `it has died: ${JSON.stringify(output().slice(-3000))}`;
}

function show({ memory, files }: Held): string {
  return `${String(Math.round(memory / MIB))} MiB and ${String(files)} descriptors`;
}
