'use strict';
const { performance } = require('node:perf_hooks');
const { sharedFolder } = require('../filled-ledger.js');
const { median } = require('../figures.js');
const { startGateway } = require('../servers.js');

async function timeStart(folder) {
  const started = performance.now();
  const gateway = await startGateway(folder);
  const ms = performance.now() - started;
  await gateway.stop();
  return ms;
}

/** From the spawn of the process to its line `listening on`, with an empty and with a filled ledger. */
async function start({ rounds, quick }) {
  const sizes = [0, quick ? 100_000 : 5_000_000];
  // One start is short, so a round has several of each.
  const starts = rounds * (quick ? 2 : 3);
  const times = {};
  for (const rows of sizes) await sharedFolder(rows);
  for (let turn = 0; turn < starts; turn += 1) {
    for (const rows of sizes) {
      (times[rows] ??= []).push(await timeStart(await sharedFolder(rows)));
    }
  }
  return sizes.map((rows) => ({
    row: 'start, from spawn to listening',
    server: `${rows} rows`,
    wall: `${Math.round(median(times[rows]))} ms`,
    'to empty': (median(times[rows]) / median(times[0])).toFixed(2),
    samples: times[rows].map(Math.round),
  }));
}

module.exports = { start };
