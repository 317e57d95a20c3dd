'use strict';
const { readFileSync } = require('node:fs');
const { connect } = require('node:net');
const { join } = require('node:path');
const { buffer } = require('node:stream/consumers');
const { URLSearchParams } = require('node:url');
const { Client } = require('pg');
const postgres = require('../test/engines/engines/postgres.js');
const s3Store = require('../test/engines/engines/s3-store.js');
const { closeLater } = require('./cleanup.js');
const { timeOfFamily, timeOfProcess } = require('./processor-time.js');

const dist = join(__dirname, '..', 'dist');
const { openS3Client } = require(join(dist, 'object-store', 's3', 's3-client.js'));
const { StoredBodies } = require(join(dist, 'object-store', 's3', 'stored-bodies.js'));

/*
 * The engines of a cluster: those that the environment names, or else new ones. Of an engine that runs elsewhere, processor
 * time is not known, nor the requests to a store: they are undefined.
 */

const STORE_DAEMONS = ['client.rgw.a', 'osd.0'];

async function open({ start, variable }) {
  if (process.env[variable]) return { settings: process.env, stop: () => undefined };
  return start();
}

function readPid(...path) {
  return Number(readFileSync(join(...path), 'utf8').split('\n')[0]);
}

/** Opens a new schema: its address, the counters of its server so far, and its end. */
async function openDatabase() {
  const { folder, settings, stop } = await open(postgres);
  const client = new Client({ connectionString: settings.POSTGRES_URL });
  await client.connect();
  const schema = `bench_${process.pid}`;
  await client.query(`CREATE SCHEMA ${schema}`);
  const counts = await client
    .query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public')
    .then(() => true)
    .catch(() => false);
  const url = new URL(settings.POSTGRES_URL);
  url.searchParams.set('options', `-c search_path=${schema},public`);
  const pid = folder && readPid(folder, 'data', 'postmaster.pid');
  const number = async (sql) => Number(Object.values((await client.query(sql)).rows[0])[0]);
  return {
    url: url.href,
    read: async () => ({
      postgres: pid && timeOfFamily(pid),
      wal: await number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"),
      statements: counts
        ? await number(
            `SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON oid = dbid
             WHERE datname = current_database() AND query !~ 'pg_stat_statements|pg_current_wal'`,
          )
        : undefined,
    }),
    close: async () => {
      await client.query(`DROP SCHEMA ${schema} CASCADE`);
      await client.end();
      stop();
    },
  };
}

/** Asks a daemon of Ceph for its counters. */
async function readCounters(socketPath) {
  const socket = connect(socketPath);
  socket.write('{"prefix":"perf dump"}\0');
  const answer = await buffer(socket);
  // The length of the answer comes first.
  return JSON.parse(answer.subarray(4).toString());
}

async function removeBodies(settings, prefix) {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_REGION: region } = settings;
  const credentials = {
    accessKeyId: settings.S3_ACCESS_KEY_ID,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
  };
  const client = openS3Client(
    { bucket, prefix, endpoint, region, pathStyle: true },
    { credentials, stallTimeout: 5000, sockets: 8 },
  );
  for await (const { items } of new StoredBodies({ client, name: 'bench', prefix }).pages()) {
    await Promise.all(items.map(({ key }) => client.delete(key)));
  }
  client.close();
}

/** Opens a new part of a store: its settings, the counters of the store so far, and its end. */
async function openStore() {
  const { folder, settings, stop } = await open(s3Store);
  const prefix = `bench-${process.pid}/`;
  const address = { endpoint: settings.S3_ENDPOINT, region: settings.S3_REGION };
  const query = new URLSearchParams({ ...address, 'path-style': 'on' });
  const run = folder && join(folder, 'run');
  const pids = run && STORE_DAEMONS.map((name) => readPid(run, `${name}.pid`));
  return {
    settings: {
      OTA_GATEWAY_STORE_URL: `s3://${settings.S3_BUCKET}/${prefix}?${query}`,
      OTA_GATEWAY_STORE_ACCESS_KEY_ID: settings.S3_ACCESS_KEY_ID,
      OTA_GATEWAY_STORE_ACCESS_KEY_SECRET: settings.S3_SECRET_ACCESS_KEY,
    },
    read: async () => ({
      store: pids?.reduce((sum, pid) => sum + timeOfProcess(pid), 0),
      requests: run && (await readCounters(join(run, 'client.rgw.a.asok'))).rgw.req,
    }),
    close: async () => {
      // The folder of a new store is removed as a whole.
      if (folder === undefined) await removeBodies(settings, prefix);
      stop();
    },
  };
}

/** Opens the engines until the end of the row. @returns the settings of a gateway that uses them, and their counters so far */
async function openEngines() {
  const database = await openDatabase();
  closeLater(database.close);
  const store = await openStore();
  closeLater(store.close);
  return {
    settings: { OTA_GATEWAY_LEDGER_URL: database.url, ...store.settings },
    read: async () => ({ ...(await database.read()), ...(await store.read()) }),
  };
}

module.exports = { openEngines };
