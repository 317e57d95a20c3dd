'use strict';
const { call, fieldsOf, succeed } = require('../calls.js');
const { sharedFolder } = require('../filled-ledger.js');
const { median } = require('../figures.js');
const { apiRequest, formRequest, randomBytes } = require('../forms.js');
const { startGateway } = require('../servers.js');

const CONNECTIONS = 4;
const SIZE = 4096;
const OPERATIONS = ['sign', 'post', 'claim'];

/** Signs, posts and claims in sequence. A separate instance keeps it below the limit of packages. */
async function lives(url, count, round) {
  const instance = { IotInstanceId: `round-${round}` };
  const signing = Array.from({ length: count }, () =>
    apiRequest(url, 'GenerateOTAUploadURL', instance),
  );
  const { data: grants, ...sign } = await call(url, signing, CONNECTIONS);
  const bytes = randomBytes(SIZE);
  const forms = grants.map((grant) => formRequest(url, fieldsOf(grant), bytes));
  const post = await succeed(url, forms, CONNECTIONS);
  const claims = grants.map(({ FirmwareUrl }, n) => {
    const named = { FirmwareName: `growth-${round}-${n}`, DestVersion: '1', FirmwareUrl };
    return apiRequest(url, 'CreateOTAFirmware', { ...named, ...instance });
  });
  return { sign, post, claim: await call(url, claims, CONNECTIONS) };
}

/** Signing, a small form and its claim with a growing ledger, on several gateways in turn. */
async function growth({ rounds, quick }) {
  const sizes = quick ? [1000, 100_000] : [1000, 100_000, 5_000_000];
  const count = quick ? 200 : 400;
  const gateways = [];
  for (const rows of sizes) gateways.push([rows, await startGateway(await sharedFolder(rows))]);
  const record = {};
  for (let round = 0; round < rounds; round += 1) {
    // Each gateway is the first in turn, because the first one has an advantage.
    const first = round % gateways.length;
    for (const [rows, { url }] of [...gateways.slice(first), ...gateways.slice(0, first)]) {
      const results = await lives(url, count, round);
      for (const operation of OPERATIONS) {
        const { latencies, perSecond } = results[operation];
        const of = ((record[operation] ??= {})[rows] ??= { latency: [], rate: [] });
        of.latency.push(median(latencies));
        of.rate.push(perSecond);
      }
    }
  }
  return OPERATIONS.flatMap((operation) =>
    sizes.map((rows) => {
      const { latency, rate } = record[operation][rows];
      const smallest = record[operation][sizes[0]];
      return {
        row: `${operation}, ${count} of ${SIZE / 1024} KiB, ${CONNECTIONS} connections`,
        server: `${rows} rows`,
        latency: `${median(latency).toFixed(2)} ms`,
        'per second': Math.round(median(rate)),
        'latency to smallest': (median(latency) / median(smallest.latency)).toFixed(2),
        samples: latency.map((each) => Number(each.toFixed(2))),
      };
    }),
  );
}

module.exports = { growth };
