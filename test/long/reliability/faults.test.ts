import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { sequentialIds } from '../../../src/lib/ids.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { DiskObjectStore } from '../../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import { ActiveUploads } from '../../../src/uploads/active-uploads.ts';
import { claimUploads } from '../../../src/uploads/claim.ts';
import type { UploadDependencies } from '../../../src/uploads/dependencies.ts';
import { purgeUnclaimed } from '../../../src/uploads/purge-bodies.ts';
import { receiveUpload } from '../../../src/uploads/receive.ts';
import { reconcile } from '../../../src/uploads/reconcile.ts';
import { temporaryFolder } from '../../support/built-gateway.ts';
import { inChunks, patternBytes } from '../../support/bytes.ts';
import { FailingSteps, failInFileSystem, failInLedger, PlayedProcess } from './failing-steps.ts';
import type { Failing } from './failing-steps.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const OLD = patternBytes(5000);
const SMALL = patternBytes(70_000);
const LARGE = patternBytes(2 * MIB + 1);
const KEY = 'ota/firmware.bin';
const HOUR = 3_600_000;

interface World {
  readonly process: PlayedProcess;
  readonly parts: UploadDependencies;
  readonly clock: ManualClock;
}

function receive({ parts }: World, bytes: Buffer, forbidOverwrite = false): Promise<unknown> {
  const body = inChunks(bytes, 65_536);
  return receiveUpload(parts, { key: KEY, headers: {}, forbidOverwrite, bytes: body });
}

async function claimIt({ parts }: World): Promise<string> {
  const outcome = await claimUploads(parts, {
    package: {
      accountId: 'acme',
      name: 'fw',
      destVersion: '1',
      differential: false,
      moduleName: 'default',
      signMethod: 'SHA256',
      status: 0,
    },
    files: [{ key: KEY }],
    soleAccount: true,
    digestTimeout: 10_000,
  });
  if (outcome.kind !== 'claimed') throw new Error(`the claim was answered with ${outcome.kind}`);
  return outcome.package.id;
}

/** A part of an upload's life: its preparation, what it does, and which bodies the key may have afterwards. */
interface Piece {
  readonly name: string;
  readonly before?: (world: World) => Promise<unknown>;
  readonly act: (world: World) => Promise<unknown>;
  /** After a success. `undefined`: no body. */
  readonly then: Buffer | undefined;
  /** After a failure. */
  readonly orElse: readonly (Buffer | undefined)[];
  /** The kinds of steps that it must have, so that none is missed. */
  readonly steps: readonly string[];
}

const PIECES: readonly Piece[] = [
  {
    name: 'storing an empty file',
    act: (world) => receive(world, Buffer.alloc(0)),
    then: Buffer.alloc(0),
    orElse: [undefined, Buffer.alloc(0)],
    steps: ['open', 'writev', 'datasync', 'sync', 'close', 'recordStored'],
  },
  {
    name: 'storing a small file',
    act: (world) => receive(world, SMALL),
    then: SMALL,
    orElse: [undefined, SMALL],
    steps: ['open', 'writev', 'datasync', 'sync', 'close', 'recordStored'],
  },
  {
    name: 'storing a large file',
    act: (world) => receive(world, LARGE),
    then: LARGE,
    orElse: [undefined, LARGE],
    steps: ['open', 'writev', 'datasync', 'link', 'sync', 'unlink', 'close', 'recordStored'],
  },
  {
    name: 'replacing a file',
    before: (world) => receive(world, OLD),
    act: (world) => receive(world, SMALL),
    then: SMALL,
    orElse: [OLD, SMALL],
    steps: ['open', 'writev', 'datasync', 'recordStored'],
  },
  {
    name: 'storing under a key that another upload has just taken',
    act: async (world) => {
      const racing = receiveUpload(world.parts, {
        key: KEY,
        headers: {},
        forbidOverwrite: true,
        bytes: (async function* () {
          await receive(world, OLD);
          yield SMALL;
        })(),
      });
      await racing;
    },
    then: OLD,
    orElse: [undefined, OLD, SMALL],
    steps: ['open', 'writev', 'datasync', 'recordStored'],
  },
  {
    name: 'claiming a file',
    before: (world) => receive(world, LARGE),
    act: claimIt,
    then: LARGE,
    orElse: [LARGE],
    steps: ['findUpload', 'recordSha256', 'claim'],
  },
  {
    name: 'deleting a package and purging its file',
    before: async (world) => {
      await receive(world, SMALL);
      await claimIt(world);
    },
    act: async (world) => {
      const found = await world.parts.ledger.findPackageByName('acme', 'fw');
      await world.parts.ledger.deletePackage('acme', found?.id ?? '', world.clock.now());
      await purgeUnclaimed(world.parts);
    },
    then: undefined,
    orElse: [SMALL, undefined],
    steps: ['deletePackage', 'takePurging', 'unlink', 'confirmPurged'],
  },
  {
    name: 'purging an unclaimed file',
    before: async (world) => {
      await receive(world, SMALL);
      world.clock.advance({ hours: 2 });
    },
    act: (world) => purgeUnclaimed(world.parts),
    then: undefined,
    orElse: [undefined],
    steps: ['expireStored', 'unlink', 'confirmPurged'],
  },
  {
    name: 'reconciling',
    before: async ({ parts }) => {
      await parts.store.put('0rphan00', inChunks(SMALL, 1000));
      parts.store.release('0rphan00');
    },
    act: ({ parts }) => reconcile(parts),
    then: undefined,
    orElse: [undefined],
    steps: ['readdir', 'hasBody', 'unlink'],
  },
];

const RECOVERIES = ['the next purge', 'a restart', 'a kill'] as const;
type Recovery = (typeof RECOVERIES)[number];

describe('when a single step fails,', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let steps: FailingSteps;
  let restore: () => void;
  let lives = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
    steps = new FailingSteps();
    restore = failInFileSystem(steps);
  });

  afterAll(async () => {
    restore();
    await folder.remove();
  });

  function openWorld(dataDir: string): Promise<World> {
    const process = new PlayedProcess();
    return process.run(() => openAs(process, dataDir));
  }

  async function openAs(process: PlayedProcess, dataDir: string): Promise<World> {
    const clock = new ManualClock();
    const parts: UploadDependencies = {
      ledger: failInLedger(steps, new SqliteLedger(openLedgerDatabase(dataDir))),
      store: await DiskObjectStore.open(dataDir, new ThreadHasher()),
      clock,
      // A locator must never be used twice, not even after a restart.
      ids: { ...sequentialIds(), locator: () => String((lives += 1)).padStart(32, '0') },
      logger: silentLogger,
      observer: {},
      policySigner: { accessKeyId: 'unused', sign: () => 'unused' },
      activeUploads: new ActiveUploads(),
      rules: {
        bucket: 'bucket',
        policyTtl: HOUR,
        claimTtl: HOUR,
        maxUploadBytes: 10 * MIB,
        maxPackages: 10,
        issuedRetention: HOUR,
        tombstoneRetention: 24 * HOUR,
      },
    };
    return { process, parts, clock };
  }

  async function closeWorld({ parts }: World): Promise<void> {
    await parts.store.close();
    await parts.ledger.close();
  }

  /** Reads the body of the key with the gateway's own parts. */
  async function bodyOf({ parts }: World): Promise<Buffer | undefined> {
    const upload = await parts.ledger.findUpload(KEY);
    if (upload === undefined || upload.state === 'issued') return undefined;
    const body = await parts.store.open(upload.object.locator);
    if (body === undefined) throw new Error('the ledger has a body that the store has not');
    return buffer(body);
  }

  /** Runs a piece with one failing step, recovers, and checks everything. @returns the step that failed */
  async function live(
    piece: Piece,
    failing: Failing,
    at: number,
    recovery: Recovery,
  ): Promise<string | undefined> {
    const dataDir = join(folder.path, `world-${String((lives += 1))}`);
    await mkdir(dataDir);
    let world = await openWorld(dataDir);
    const before = world;
    await before.process.run(async () => piece.before?.(before));
    steps.arm(failing, at);
    const [outcome] = await Promise.allSettled([before.process.run(() => piece.act(before))]);
    const failed = steps.disarm();
    // What a dead ledger could not give back is free again.
    if (recovery === 'the next purge') world.clock.advance({ minutes: 1 });
    else {
      if (recovery === 'a restart') await before.process.run(() => closeWorld(before));
      else before.process.kill();
      world = await openWorld(dataDir);
      world.clock.set(before.clock.now());
    }
    await reconcile(world.parts);
    await purgeUnclaimed(world.parts);
    const where = `${failing} step ${String(at)}, ${failed ?? 'none'}, then ${recovery}`;
    const found = await inspectData(dataDir);
    const faults = await findProblems(found);
    const unfinished = found.rows.filter(({ state }) => state === 'purging').length;
    expect({ where, faults, unfinished }).toEqual({ where, faults: [], unfinished: 0 });
    const body = await bodyOf(world);
    const allowed = outcome.status === 'fulfilled' ? [piece.then] : piece.orElse;
    const expected = allowed.some((one) => (one && body ? one.equals(body) : one === body));
    expect({ where, outcome: outcome.status, expected }).toEqual({
      where,
      outcome: outcome.status,
      expected: true,
    });
    await closeWorld(world);
    // The killed gateway must do nothing more until its folder is removed.
    if (recovery === 'a kill') await closeWorld(before);
    expect({ where, unclosed: steps.takeUnclosed() }).toEqual({ where, unclosed: [] });
    return failed;
  }

  for (const piece of PIECES) {
    it(`${piece.name} has its full effect or none, and leaves nothing behind`, async () => {
      const failed = new Set<string>();
      for (const failing of ['before', 'after', 'dead'] as const) {
        for (const recovery of RECOVERIES) {
          for (let at = 1; at < 200; at += 1) {
            const step = await live(piece, failing, at, recovery);
            if (step === undefined) break;
            failed.add(step);
          }
        }
      }
      expect([...failed]).toEqual(expect.arrayContaining([...piece.steps]));
    });
  }
});
