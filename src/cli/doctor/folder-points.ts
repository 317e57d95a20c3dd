import { lstatSync, readdirSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectLedger, isServerLockHeld } from '../../data-folder/inspect.ts';
import { monotonicClock } from '../../lib/clock.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { randomIds } from '../../lib/ids.ts';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import { describeError } from '../command-error.ts';
import { counted, formatSize } from '../people.ts';
import type { Checkup, Finding, Point } from './checkup.ts';
import { fail, notKnown, ok, skip, warn } from './checkup.ts';
import { lookAtSharedLedger } from './shared-points.ts';

/** File systems of a network, by their magic numbers (statfs(2)). SQLite's locks are not safe on them. */
const NETWORK: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9P',
  0x65735546: 'FUSE',
  0x00c36400: 'Ceph',
  0x5346414f: 'AFS',
};

/** The points that look into the data folder. */
export const FOLDER_POINTS: readonly Point[] = [
  { name: 'data folder', look: lookAtFolder },
  { name: 'permissions', look: lookAtModes },
  { name: 'disk', look: lookAtDisk },
  { name: 'file system', look: lookAtFileSystem },
  { name: 'ledger', look: lookAtLedger },
  { name: 'lock', look: lookAtLock },
];

const ABSENT = skip('there is no data folder yet');
const CLOSED = notKnown('this user cannot read the folder');
const AS_USER = 'Run commands as the user of the gateway';

/** @returns what to say of something in a folder that cannot be looked into */
function ifNotOpen({ folder }: Checkup): Finding | undefined {
  if (folder === 'open') return undefined;
  return folder === 'absent' ? ABSENT : CLOSED;
}

function lookAtFolder({ config, endpoint, folder }: Checkup): Finding {
  const { dataDir } = config;
  if (folder === 'closed') {
    const text = `${dataDir} cannot be read by this user`;
    // With an endpoint, the folder need not be that of the gateway.
    return endpoint === undefined ? fail(text, AS_USER) : warn(text, AS_USER);
  }
  const found = lstatSync(dataDir, { throwIfNoEntry: false });
  if (found === undefined) {
    if (endpoint !== undefined) return skip(`${dataDir} does not exist on this machine`);
    const hint = 'The first start creates it; or give that of the gateway with --data-dir';
    return warn(`${dataDir} does not exist`, hint);
  }
  if (!found.isDirectory() && !found.isSymbolicLink()) {
    return fail(`${dataDir} is not a folder`, 'Give another one with --data-dir');
  }
  const uid = process.getuid?.();
  const text = `${dataDir} belongs to user ${String(found.uid)}`;
  if (uid !== undefined && uid !== 0 && found.uid !== uid)
    return warn(`${text}, this is user ${String(uid)}`, AS_USER);
  return ok(text);
}

/** Files that hold secrets, or name what is stored. */
const PRIVATE = ['credentials.json', 'gateway.json', 'gateway.sqlite3'];
const OTHERS = 0o077;

function lookAtModes(checkup: Checkup): Finding {
  const unseen = ifNotOpen(checkup);
  if (unseen !== undefined) return unseen;
  const { dataDir } = checkup.config;
  const names = readdirSync(dataDir).filter((name) => PRIVATE.includes(name));
  const openOnes = [dataDir, ...names.map((name) => join(dataDir, name))].flatMap((path) => {
    const { mode } = lstatSync(path);
    return (mode & OTHERS) === 0 ? [] : [[path, mode & 0o777] as const];
  });
  if (openOnes.length === 0) return ok('only the owner can read the folder and its secrets');
  const [[path, mode] = ['', 0]] = openOnes;
  const who = (mode & 0o007) === 0 ? 'by the group' : 'by every user';
  const more = openOnes.length === 1 ? '' : `, and ${counted(openOnes.length - 1, 'other')}`;
  const hint = `chmod go= ${openOnes.map(([each]) => each).join(' ')}`;
  const text = `${path} can be used ${who} (mode ${mode.toString(8)})${more}`;
  // The operator may have chosen the group; a folder that is closed protects what is in it.
  const isSecret = openOnes.some(([each, bits]) => each !== dataDir && (bits & 0o007) !== 0);
  return isSecret ? fail(text, hint) : warn(text, hint);
}

async function lookAtDisk(checkup: Checkup): Promise<Finding> {
  const unseen = ifNotOpen(checkup);
  if (unseen !== undefined) return unseen;
  const { dataDir, maxUpload, minFree } = checkup.config;
  const { bavail, blocks, bsize, ffree, files } = await statfs(dataDir);
  const free = bavail * bsize;
  const flush = await tryToFlush(dataDir);
  const text = `${formatSize(free)} free of ${formatSize(blocks * bsize)}, uploads leave ${formatSize(minFree)} alone; ${flush.text}`;
  const hint = 'Free some space, or move the data folder to a larger disk';
  if (files > 0 && ffree < MIN_INODES)
    return fail(`${text}; only ${String(ffree)} inodes are free`, hint);
  if (free <= minFree) return fail(`${text}: uploads are refused`, hint);
  if (free - minFree < maxUpload)
    return warn(`${text}: the largest upload, ${formatSize(maxUpload)}, does not fit`, hint);
  return { ...flush, text };
}

/** Writes a small file, as the gateway would. A user who may not write there learns nothing about the gateway. */
async function tryToFlush(dataDir: string): Promise<Finding> {
  try {
    return ok(`a file of 4 KiB is durable in ${(await timeFlush(dataDir)).toFixed(1)} ms`);
  } catch (error) {
    if (hasErrorCode(error, 'EACCES'))
      return warn('whether files can be written is not known: this user may not', AS_USER);
    return fail(`a file cannot be written: ${describeError(error).message}`);
  }
}

const MIN_INODES = 1000;
const FLUSHED_BYTES = 4096;

/** @returns how long a small file takes to become durable, in milliseconds */
async function timeFlush(dataDir: string): Promise<number> {
  const path = join(dataDir, `doctor-${randomIds.locator()}`);
  const file = await open(path, 'wx', PRIVATE_FILE);
  try {
    const startedAt = monotonicClock.now();
    await file.writeFile(Buffer.alloc(FLUSHED_BYTES));
    await file.sync();
    return monotonicClock.now() - startedAt;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function lookAtFileSystem(checkup: Checkup): Promise<Finding> {
  const unseen = ifNotOpen(checkup);
  if (unseen !== undefined) return unseen;
  const { type } = await statfs(checkup.config.dataDir);
  const network = NETWORK[type];
  if (network === undefined) return ok(`local (type 0x${type.toString(16)})`);
  return warn(
    `${network}: its locks and its fsync may not hold what they promise`,
    'Use a disk of this machine for the data folder',
  );
}

async function lookAtLedger(checkup: Checkup): Promise<Finding> {
  const shared = await lookAtSharedLedger(checkup.config);
  if (shared !== undefined) return shared;
  const unseen = ifNotOpen(checkup);
  if (unseen !== undefined) return unseen;
  const report = await inspectLedger(checkup.config.dataDir);
  if (report === undefined) return skip('there is no ledger yet');
  const { bytes, damage, logBytes } = report;
  const [first] = damage;
  if (first !== undefined) {
    const more = damage.length === 1 ? '' : ` (and ${String(damage.length - 1)} more)`;
    return fail(`damaged: ${first}${more}`, 'Stop the gateway and run `ota-gateway fsck --repair`');
  }
  const text = `${formatSize(bytes)}, its log ${formatSize(logBytes)}, undamaged`;
  if (logBytes <= MAX_LOG_BYTES) return ok(text);
  return warn(text, 'The log is not being cut: restart the gateway, and look for long reads');
}

/** Several times what the log has after a burst. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

function lookAtLock(checkup: Checkup): Finding {
  const unseen = ifNotOpen(checkup);
  if (unseen !== undefined) return unseen;
  const { config, running, unknown } = checkup;
  const isHeld = isServerLockHeld(config.dataDir);
  if (isHeld === undefined) return notKnown('this user may not open server.lock');
  if (isHeld && running !== undefined) return ok(`held by process ${String(running.pid)}`);
  // With an endpoint, gateway.json was not read.
  if (isHeld && checkup.endpoint !== undefined) return ok('a process uses the folder');
  if (unknown !== undefined) return warn(`${isHeld ? 'held' : 'free'}, but ${unknown}`);
  if (isHeld) {
    const hint =
      'A gateway of an older version, or a repair, uses it; give --endpoint for the former';
    return warn('held by a process that has written no gateway.json', hint);
  }
  if (running === undefined) return ok('free: no gateway is running');
  return warn(
    `free, but gateway.json is left of process ${String(running.pid)}: it was killed`,
    'Start the gateway again, which replaces the file',
  );
}
