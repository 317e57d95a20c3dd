import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectLedger, isInUse } from '../../data-folder-report.ts';
import { monotonicClock } from '../../lib/clock.ts';
import { randomIds } from '../../lib/ids.ts';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import { describeError } from '../command-error.ts';
import { counted, formatSize } from '../people.ts';
import type { Checkup, Finding, Point } from './checkup.ts';
import { fail, ok, skip, warn } from './checkup.ts';

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

function isAbsent({ config }: Checkup): boolean {
  return !existsSync(config.dataDir);
}

const ABSENT = skip('there is no data folder yet');

function lookAtFolder({ config, endpoint }: Checkup): Finding {
  const { dataDir } = config;
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
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    const hint = 'Run commands as the user of the gateway';
    return warn(
      `${dataDir} belongs to user ${String(found.uid)}, this is user ${String(uid)}`,
      hint,
    );
  }
  return ok(`${dataDir} belongs to user ${String(found.uid)}`);
}

/** Files that hold secrets, or name what is stored. */
const PRIVATE = ['credentials.json', 'gateway.json', 'gateway.sqlite3'];
const OTHERS = 0o077;

function lookAtModes(checkup: Checkup): Finding {
  if (isAbsent(checkup)) return ABSENT;
  const { dataDir } = checkup.config;
  const names = readdirSync(dataDir).filter((name) => PRIVATE.includes(name));
  const openOnes = ['.', ...names].flatMap((name) => {
    const path = join(dataDir, name);
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
  if (isAbsent(checkup)) return ABSENT;
  const { dataDir, maxUpload, minFree } = checkup.config;
  const { bavail, blocks, bsize, ffree, files } = await statfs(dataDir);
  const free = bavail * bsize;
  const durable = await describeFlush(dataDir);
  const text = `${formatSize(free)} free of ${formatSize(blocks * bsize)}, uploads leave ${formatSize(minFree)} alone; ${durable}`;
  const hint = 'Free some space, or move the data folder to a larger disk';
  if (files > 0 && ffree < MIN_INODES)
    return fail(`${text}; only ${String(ffree)} inodes are free`, hint);
  if (free <= minFree) return fail(`${text}: uploads are refused`, hint);
  if (free - minFree < maxUpload)
    return warn(`${text}: the largest upload, ${formatSize(maxUpload)}, does not fit`, hint);
  return ok(text);
}

async function describeFlush(dataDir: string): Promise<string> {
  try {
    return `a file of 4 KiB is durable in ${(await timeFlush(dataDir)).toFixed(1)} ms`;
  } catch (error) {
    return `this user cannot write there (${describeError(error).message})`;
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
  if (isAbsent(checkup)) return ABSENT;
  const { type } = await statfs(checkup.config.dataDir);
  const network = NETWORK[type];
  if (network === undefined) return ok(`local (type 0x${type.toString(16)})`);
  return warn(
    `${network}: its locks and its fsync may not hold what they promise`,
    'Use a disk of this machine for the data folder',
  );
}

async function lookAtLedger(checkup: Checkup): Promise<Finding> {
  if (isAbsent(checkup)) return ABSENT;
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
  if (isAbsent(checkup)) return ABSENT;
  const { config, running } = checkup;
  const isHeld = isInUse(config.dataDir);
  if (isHeld && running !== undefined) return ok(`held by process ${String(running.pid)}`);
  // With an endpoint, gateway.json was not read.
  if (isHeld && checkup.endpoint !== undefined) return ok('a process uses the folder');
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
