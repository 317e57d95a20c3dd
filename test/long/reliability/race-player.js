// A process that uses a data folder as the gateway does, by messages of its parent: see races.test.ts. It runs the
// built files, because Node does not run TypeScript.
const { Buffer } = require('node:buffer');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { randomIds } = require('../../../dist/lib/ids.js');
const { openLedgerDatabase } = require('../../../dist/ledger/sqlite/database.js');
const { SqliteLedger } = require('../../../dist/ledger/sqlite/sqlite-ledger.js');
const { silentLogger } = require('../../../dist/lib/logger.js');
const { DiskObjectStore } = require('../../../dist/object-store/disk/disk-object-store.js');
const { ThreadHasher } = require('../../../dist/object-store/hashing/thread-hasher.js');
const { claimUploads } = require('../../../dist/uploads/claim.js');
const { ActiveUploads } = require('../../../dist/uploads/active-uploads.js');
const { purgeUnclaimed } = require('../../../dist/uploads/purge-bodies.js');
const { receiveUpload } = require('../../../dist/uploads/receive.js');

const HOUR = 3_600_000;
const [, , dataDir] = process.argv;

async function open() {
  return {
    ledger: new SqliteLedger(openLedgerDatabase(dataDir)),
    store: await DiskObjectStore.open(dataDir, new ThreadHasher()),
    clock: { now: () => Date.now() },
    ids: randomIds,
    logger: silentLogger,
    observer: {},
    policySigner: { accessKeyId: 'unused', sign: () => 'unused' },
    activeUploads: new ActiveUploads(),
    rules: {
      bucket: 'bucket',
      policyTtl: HOUR,
      claimTtl: HOUR,
      maxUploadBytes: 1_000_000,
      maxPackages: 1_000_000,
      issuedRetention: HOUR,
      tombstoneRetention: 24 * HOUR,
    },
  };
}

const MOVES = {
  async store(parts, key) {
    async function* bytes() {
      yield Buffer.from(`${key} ${randomIds.locator()}`);
    }
    const request = { key, headers: {}, forbidOverwrite: false, bytes: bytes() };
    const outcome = await receiveUpload(parts, request);
    return { kind: outcome.kind, locator: outcome.object?.locator };
  },

  async claim(parts, key) {
    const outcome = await claimUploads(parts, {
      package: {
        accountId: 'acme',
        name: key,
        destVersion: '1',
        differential: false,
        moduleName: 'default',
        signMethod: 'MD5',
        status: 0,
      },
      files: [{ key }],
      soleAccount: true,
      digestTimeout: 1000,
    });
    return { kind: outcome.kind, packageId: outcome.package?.id };
  },

  async delete(parts, key) {
    const upload = await parts.ledger.findUpload(key);
    if (upload?.state !== 'stored') return { kind: 'absent' };
    const { locator } = upload.object;
    const deleted = await parts.ledger.deleteUpload(key, locator, Date.now());
    return { kind: deleted ? 'deleted' : 'lost', locator };
  },

  // Its clock is ahead, so that every unclaimed upload is past its deadline.
  async purge(parts) {
    const clock = { now: () => Date.now() + 2 * HOUR };
    return { kind: 'purged', ...(await purgeUnclaimed({ ...parts, clock })) };
  },
};

/** Waits for a time of day more exactly than a timer can. */
function waitUntil(time) {
  while (performance.timeOrigin + performance.now() < time);
}

async function main() {
  const parts = await open();
  process.on('message', async ({ at, moves }) => {
    waitUntil(at);
    const results = moves.map(async ({ move, key, after }) => {
      await sleep(after);
      return MOVES[move](parts, key);
    });
    process.send(await Promise.all(results));
  });
  process.on('disconnect', () => process.exit(0));
  process.send('ready');
}

main();
