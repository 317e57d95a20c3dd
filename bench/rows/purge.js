'use strict';
const { execFile, execFileSync } = require('node:child_process');
const { mkdirSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const { closeLater } = require('../cleanup.js');
const { pace } = require('../clients/keep-alive.js');
const { makeFilledFolder, openLedger } = require('../filled-ledger.js');
const { filesIn, median, quantile, until } = require('../figures.js');
const { apiRequest, randomBytes } = require('../forms.js');
const { startGateway } = require('../servers.js');

const dist = join(__dirname, '..', '..', 'dist');
const { OBJECTS, objectFolder, objectPath } = require(
  join(dist, 'object-store', 'disk', 'layout.js'),
);

const SIZE = 4096;
const CLIENTS = { connections: 4, perSecond: 100 };
/** The default of the setting, in milliseconds. */
const CLAIM_TTL = 3_600_000;
const PHASES = {
  quiet: 'gateway, no purge',
  rm: 'rm -rf beside the gateway',
  purge: 'gateway, purge',
};

/** Writes the files of uploads to the paths that the gateway uses. */
function layOut(folder, locators) {
  const bytes = randomBytes(SIZE);
  for (const locator of locators) mkdirSync(objectFolder(folder, locator), { recursive: true });
  for (const locator of locators) writeFileSync(objectPath(folder, locator), bytes);
}

/**
 * Writes the files of all rounds, and waits until they are on the disk. It writes all of them before the first is
 * deleted: when ext4 creates a file, it may skip every inode that was freed recently, which takes minutes here.
 */
function layOutRounds(folder, rounds, locators) {
  const layouts = Array.from({ length: rounds }, (_, round) => ({
    rm: join(folder, `rm-${round}`),
    purge: join(folder, `purge-${round}`),
  }));
  for (const { purge, rm } of layouts) {
    layOut(rm, locators);
    layOut(purge, locators);
  }
  execFileSync('sync', ['-f', folder]);
  return layouts;
}

/** Selects the newest tombstones; each round turns them into uploads whose claim deadline passes. */
function chooseVictims(folder, count) {
  const ledger = openLedger(folder);
  closeLater(() => ledger.close());
  const rows = ledger
    .prepare(
      `SELECT sequence, locator FROM uploads WHERE state = 'purged' ORDER BY sequence DESC LIMIT ?`,
    )
    .all(count)
    .reverse();
  const [first, last] = [rows[0].sequence, rows.at(-1).sequence];
  const expire = ledger.prepare(
    `UPDATE uploads SET state = 'stored', stored_at = :at, purge_reason = NULL, purging_since = NULL,
       purged_at = NULL
     WHERE state = 'purged' AND sequence BETWEEN ${first} AND ${last}`,
  );
  const state = ledger.prepare('SELECT state FROM uploads WHERE sequence = ?').pluck();
  return {
    locators: rows.map(({ locator }) => locator),
    /** Sets a deadline in the future, so that this update and its checkpoint are not part of the purge. */
    expireIn: (seconds) => {
      expire.run({ at: Date.now() - CLAIM_TTL + seconds * 1000 });
      ledger.pragma('wal_checkpoint(TRUNCATE)');
    },
    // Uploads with the same time are purged in the order of their sequence.
    purgeHasBegun: () => state.get(first) !== 'stored',
    purgeIsDone: () => state.get(last) === 'purged',
  };
}

/** Runs some work while clients call at a steady pace. @returns the duration of the work, and the latencies */
async function beside(url, work) {
  const stop = pace(url, () => apiRequest(url, 'GenerateOTAUploadURL'), CLIENTS);
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  return { ms, latencies: await stop() };
}

async function measure(url, folder, layout, victims, { quiet: seconds, slack }) {
  const objects = join(folder, OBJECTS);
  rmSync(objects, { recursive: true, force: true });
  renameSync(join(layout.purge, OBJECTS), objects);
  const rm = await beside(url, () => promisify(execFile)('rm', ['-rf', layout.rm]));
  victims.expireIn(slack + seconds);
  const quiet = await beside(url, () => sleep(seconds * 1000));
  if (victims.purgeHasBegun()) throw new Error('the purge has begun too soon');
  await until(victims.purgeHasBegun, { every: 1, seconds: slack + 10 });
  const purge = await beside(url, () => until(victims.purgeIsDone, { every: 10, seconds: 300 }));
  const left = filesIn(objects);
  if (left > 0) throw new Error(`${left} files are left`);
  return { quiet, rm, purge };
}

function figuresOf(count, rows, results) {
  const all = (phase) => results.map((result) => result[phase]);
  const latencies = (phase) => all(phase).flatMap((result) => result.latencies);
  const p99 = (phase) => quantile(latencies(phase), 0.99);
  const rate = (phase) => (count / median(all(phase).map(({ ms }) => ms))) * 1000;
  return Object.entries(PHASES).map(([phase, server]) => ({
    row: `${count} of ${rows} uploads expired, ${CLIENTS.perSecond} forms signed a second`,
    server,
    p99: `${p99(phase).toFixed(2)} ms`,
    'p99 to no purge': (p99(phase) / p99('quiet')).toFixed(2),
    ...(phase !== 'quiet' && {
      'files per second': Math.round(rate(phase)),
      'to rm': (rate(phase) / rate('rm')).toFixed(2),
    }),
    samples: all(phase).map(({ ms }) => Math.round(ms)),
  }));
}

/** A purge of many uploads while clients call at a steady pace, compared with `rm` of as many files. */
async function purge({ rounds, quick }) {
  const [count, rows] = quick ? [5000, 50_000] : [100_000, 1_000_000];
  const waits = quick ? { quiet: 2, slack: 1 } : { quiet: 10, slack: 8 };
  const folder = await makeFilledFolder(rows);
  const victims = chooseVictims(folder.path, count);
  const layouts = layOutRounds(folder.path, rounds, victims.locators);
  const gateway = await startGateway(folder.path, { OTA_GATEWAY_PURGE_CRON: '* * * * * *' });
  const results = [];
  for (const layout of layouts) {
    results.push(await measure(gateway.url, folder.path, layout, victims, waits));
  }
  return figuresOf(count, rows, results);
}

module.exports = { purge };
