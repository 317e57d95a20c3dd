'use strict';
const { join } = require('node:path');
const { call, fieldsOf, succeed } = require('../calls.js');
const { openEngines } = require('../engines.js');
const { median, settle, warmMemory } = require('../figures.js');
const { apiOf, apiRequest, formRequest, randomBytes } = require('../forms.js');
const { timeOfProcess } = require('../processor-time.js');
const { postAndClaim, readBack } = require('./large.js');
const { startGateway, temporaryFolder } = require('../servers.js');

const dist = join(__dirname, '..', '..', 'dist');
const { queryDownloadUrl } = require(join(dist, 'client', 'api-client.js'));

const CONNECTIONS = 16;
const SIZE = 64 * 1024;
const SINGLE = 'SQLite and disk';
const CLUSTER = 'PostgreSQL and S3';
const SETTINGS = {
  OTA_GATEWAY_MAX_PACKAGES: '1000000',
  OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *',
  // A quota as by default, but one that is never reached: gateways that share a ledger count in it.
  OTA_GATEWAY_QPS: '1000000',
};
const CLUSTER_SETTINGS = {
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: 'bench-bucket',
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: 'bench-bucket-secret',
  OTA_GATEWAY_DRAIN_DELAY: '0s',
};

function downloadRequest(url) {
  const { host, pathname, search } = new URL(url);
  return Buffer.from(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`,
  );
}

/** @throws when a body is not the one that was sent */
function compare(bodies, bytes) {
  const sent = bytes.toString('latin1');
  const other = bodies.findIndex((body) => body !== sent);
  if (other >= 0) throw new Error(`download ${other} is not what was sent`);
}

/**
 * Signs, posts, claims and downloads in sequence.
 * @param measure - runs one of them, and reads what it costs
 */
async function useOften({ url }, { count, name, measure }) {
  const bytes = randomBytes(SIZE);
  const signs = 4 * count;
  const signing = Array.from({ length: signs }, () => apiRequest(url, 'GenerateOTAUploadURL'));
  const signed = await measure('sign', signs, () => call(url, signing, CONNECTIONS));
  const grants = signed.data.slice(0, count);
  const forms = grants.map((grant) => formRequest(url, fieldsOf(grant), bytes));
  await measure('form of 64 KiB', count, () => succeed(url, forms, CONNECTIONS));
  const claims = grants.map(({ FirmwareUrl }, n) =>
    apiRequest(url, 'CreateOTAFirmware', {
      FirmwareName: `${name}-${n}`,
      DestVersion: '1',
      FirmwareUrl,
    }),
  );
  const claimed = await measure('claim', count, () => call(url, claims, CONNECTIONS));
  const downloads = [];
  for (const { FirmwareId } of claimed.data) {
    downloads.push(downloadRequest(await queryDownloadUrl(apiOf(url), { FirmwareId })));
  }
  const read = await measure('download of 64 KiB', count, () =>
    succeed(url, downloads, CONNECTIONS),
  );
  compare(read.bodies, bytes);
}

/** Signs, posts and claims one large body. */
async function useOnce({ url }, { folder, mib, name, measure }) {
  warmMemory(folder, mib + 200);
  const work = `form of ${mib} MiB, signed and claimed`;
  const claimed = await measure(work, 1, () => postAndClaim(url, mib, name));
  await readBack(url, claimed);
}

async function startServers(engines, folders) {
  const shared = { ...SETTINGS, ...CLUSTER_SETTINGS, ...engines.settings };
  const single = await startGateway(folders[SINGLE].path, SETTINGS);
  const node = await startGateway(folders[CLUSTER].path, shared);
  const own = (server) => ({ gateway: timeOfProcess(server.pid) });
  return {
    [SINGLE]: { ...single, read: () => own(single) },
    [CLUSTER]: { ...node, read: async () => ({ ...own(node), ...(await engines.read()) }) },
  };
}

function meter(server, costs) {
  return async (work, count, run) => {
    await settle(server);
    const before = await server.read();
    const result = await run();
    await settle(server);
    const after = await server.read();
    const of = ((costs[work] ??= {})[server.name] ??= {});
    for (const [what, value] of Object.entries(after)) {
      if (value !== undefined) (of[what] ??= []).push((value - before[what]) / count);
    }
    return result;
  };
}

async function measureAll(servers, folders, { rounds, quick }) {
  const [count, mib] = quick ? [300, 64] : [1000, 256];
  const costs = {};
  for (let round = -1; round < rounds; round += 1) {
    const order = Object.entries(servers);
    for (const [name, server] of round % 2 === 0 ? order : order.reverse()) {
      // The first round warms up.
      const measure = meter({ ...server, name }, round < 0 ? {} : costs);
      await useOften(server, { count, name: `often-${round}`, measure });
      await useOnce(server, { folder: folders[name].path, mib, name: `once-${round}`, measure });
    }
  }
  return costs;
}

const milliseconds = (nanoseconds) => `${(nanoseconds / 1e6).toFixed(3)} ms`;
const exact = (value) => value.toFixed(2);

/** What is known of one call: column -> figure. */
const COLUMNS = {
  gateway: ['gateway', milliseconds],
  postgres: ['PostgreSQL', milliseconds],
  store: ['store', milliseconds],
  statements: ['statements', exact],
  requests: ['requests to the store', exact],
  wal: ['WAL', (bytes) => `${Math.round(bytes)} B`],
};

function known(cost) {
  const columns = Object.entries(COLUMNS).filter(([what]) => what in cost);
  return Object.fromEntries(
    columns.map(([what, [title, format]]) => [title, format(median(cost[what]))]),
  );
}

function figuresOf(costs) {
  return Object.entries(costs).flatMap(([work, of]) =>
    [SINGLE, CLUSTER].map((server) => ({
      ...{ row: work, server },
      ...known(of[server]),
      'gateway to single': exact(median(of[server].gateway) / median(of[SINGLE].gateway)),
      samples: of[server].gateway.map((time) => Math.round(time / 1000)),
    })),
  );
}

/**
 * What a call costs a gateway and each engine, for one gateway with its data folder and one of a cluster: processor time,
 * statements, requests to the store and bytes of the log of PostgreSQL.
 */
async function cluster(options) {
  const folders = { [SINGLE]: temporaryFolder(), [CLUSTER]: temporaryFolder() };
  const servers = await startServers(await openEngines(), folders);
  return figuresOf(await measureAll(servers, folders, options));
}

module.exports = { cluster };
