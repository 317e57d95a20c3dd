'use strict';
const { randomFillSync } = require('node:crypto');
const { closeSync, fsyncSync, openSync } = require('node:fs');
const { join } = require('node:path');
const SqliteDatabase = require('better-sqlite3');
const { makeFolder, startGateway, temporaryFolder } = require('./servers.js');

const dist = join(__dirname, '..', 'dist');
const { randomIds } = require(join(dist, 'lib', 'ids.js'));
const { otaObjectKey, tenantSegment } = require(join(dist, 'policy', 'object-key.js'));

const LEDGER = 'gateway.sqlite3';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ACCOUNT = 'default';
const SIZE = 4096;
const HEADERS = JSON.stringify({ 'content-type': 'application/octet-stream' });
const BATCH = 500_000;
const CACHE_KIB = 1_500_000;

/** Simulates twenty days: a tenth of the rows is from the last ten minutes; of the rest, one in fifty is claimed. */
function stateOf(n, rows) {
  if (n >= rows * 0.9) return n % 2 === 0 ? 'stored' : 'issued';
  return n % 50 === 0 ? 'claimed' : 'purged';
}

function issuedAt(n, rows, now) {
  const old = rows * 0.9;
  if (n < old) return Math.floor(now - 20 * DAY + (n / old) * 19 * DAY);
  return Math.floor(now - 10 * MINUTE + ((n - old) / (rows - old)) * 9 * MINUTE);
}

/** Spreads the packages over instances, so that none exceeds its limit. */
function instanceOf(n) {
  return `iot-${Math.floor(n / 20_000)}`;
}

const pool = Buffer.alloc(80 * 8192);
let drawn = pool.length;

/** @returns eighty random bytes from a pool; drawing them for each row would double the time */
function draw() {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  return pool.subarray(drawn, (drawn += 80));
}

/** @returns a name in the form that the gateway generates */
function objectName(at, bytes) {
  return `c${at.toString(36)}${bytes.toString('hex', 72)}`;
}

function objectOf(bytes) {
  return {
    locator: bytes.toString('hex', 0, 16),
    md5: bytes.toString('hex', 16, 32),
    sha256: bytes.toString('hex', 32, 64),
    crc64: bytes.readBigUInt64LE(64).toString(),
    size: SIZE,
    headers: HEADERS,
  };
}

const NO_OBJECT = {
  locator: null,
  md5: null,
  sha256: null,
  crc64: null,
  size: null,
  headers: null,
};

function uploadRow(n, rows, now, tenant) {
  const state = stateOf(n, rows);
  const at = issuedAt(n, rows, now);
  const isGone = state === 'purged';
  const bytes = draw();
  return {
    ...(state === 'issued' ? NO_OBJECT : objectOf(bytes)),
    key: otaObjectKey(tenant, objectName(at, bytes), 'bin'),
    state,
    accountId: ACCOUNT,
    issuedAt: at,
    expiresAt: at + MINUTE,
    storedAt: state === 'issued' ? null : at + 1000,
    packageId: state === 'claimed' ? randomIds.firmware() : null,
    reason: isGone ? 'unclaimed' : null,
    purgingSince: isGone ? at + HOUR : null,
    purgedAt: isGone ? at + HOUR : null,
  };
}

function prepareInserts(database) {
  return {
    upload: database.prepare(
      `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at, locator, size, md5,
         crc64, sha256, stored_at, headers, package_id, purge_reason, purging_since, purged_at)
       VALUES (:key, :state, :accountId, :issuedAt, :expiresAt, :locator, :size, :md5,
         :crc64, :sha256, :storedAt, :headers, :packageId, :reason, :purgingSince, :purgedAt)`,
    ),
    package: database.prepare(
      `INSERT INTO firmware_packages (id, account_id, instance_id, name, dest_version, differential,
         module_name, sign_method, status, verify_progress, created_at, modified_at)
       VALUES (:packageId, :accountId, :instance, :name, '1.0.0', 0,
         'default', 'MD5', 0, 0, :storedAt, :storedAt)`,
    ),
    file: database.prepare(
      `INSERT INTO package_files (package_id, place, key, size, sign, md5)
       VALUES (:packageId, 0, :key, :size, :md5, :md5)`,
    ),
  };
}

function insertRange(inserts, from, to, rows, now) {
  let instance;
  let tenant;
  for (let n = from; n < to; n += 1) {
    const here = instanceOf(n);
    if (here !== instance) tenant = tenantSegment(ACCOUNT, (instance = here));
    const row = uploadRow(n, rows, now, tenant);
    inserts.upload.run(row);
    if (row.state === 'claimed') {
      inserts.package.run({ ...row, instance, name: `filled-${n}` });
      inserts.file.run(row);
    }
  }
}

function openLedger(folder) {
  return new SqliteDatabase(join(folder, LEDGER));
}

/** Writes rows into the ledger of a stopped gateway. The files do not exist, and nothing reads them. */
function fillLedger(folder, rows) {
  const database = openLedger(folder);
  // A ledger whose filling failed is not used, so no rollback is needed.
  database.unsafeMode().pragma('journal_mode = OFF');
  database.pragma('synchronous = OFF');
  database.pragma(`cache_size = -${CACHE_KIB}`);
  const inserts = prepareInserts(database);
  const insert = database.transaction(insertRange);
  const now = Date.now();
  for (let from = 0; from < rows; from += BATCH) {
    insert(inserts, from, Math.min(from + BATCH, rows), rows, now);
  }
  database.close();
  flush(join(folder, LEDGER));
}

/** Flushes a file now, so that it is not written back during a measurement. */
function flush(path) {
  const file = openSync(path, 'r+');
  fsyncSync(file);
  closeSync(file);
}

/** Makes a data folder whose ledger has a number of rows. */
async function makeFilledFolder(rows, folder = temporaryFolder()) {
  const gateway = await startGateway(folder.path);
  await gateway.stop();
  if (rows > 0) fillLedger(folder.path, rows);
  return folder;
}

const shared = new Map();

/** @returns one filled folder for all rows of a run, because filling takes minutes; each row adds only little to it */
async function sharedFolder(rows) {
  if (shared.size === 0) {
    process.once('exit', () => {
      for (const folder of shared.values()) folder.remove();
    });
  }
  if (!shared.has(rows)) shared.set(rows, await makeFilledFolder(rows, makeFolder()));
  return shared.get(rows).path;
}

module.exports = { makeFilledFolder, openLedger, sharedFolder };
