'use strict';
const { formRequest, freshFields, randomBytes } = require('../forms.js');
const { drive } = require('../clients/keep-alive.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');
const { median } = require('../figures.js');

const CONNECTIONS = 16;
const SIZE = 64 * 1024;

async function requestsFor(name, url, count) {
  const bytes = randomBytes(SIZE);
  const requests = [];
  for (let n = 0; n < count; n += 1) {
    const fields = name === 'gateway' ? await freshFields(url) : [];
    requests.push(formRequest(url, fields, bytes));
  }
  return requests;
}

/** Many small forms over 16 connections; in the gateway each is verified, durable and recorded in the ledger. */
async function small({ rounds, quick }) {
  const count = quick ? 300 : 1000;
  const folder = temporaryFolder();
  const servers = {
    gateway: await startGateway(folder.path),
    // All servers keep their files: after many files were deleted, ext4 creates new ones slowly for half a minute.
    multer: await startPeer('upload-peer.js', 'multer', folder.path, 'keep'),
    formidable: await startPeer('upload-peer.js', 'formidable', folder.path, 'keep'),
  };
  const rates = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { url }] of Object.entries(servers)) {
      const result = await drive(url, await requestsFor(name, url, count), CONNECTIONS);
      if (result.statuses['200'] !== count) throw new Error(JSON.stringify(result.statuses));
      (rates[name] ??= []).push(result.perSecond);
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  folder.remove();
  return Object.keys(servers).map((name) => ({
    row: `${count} forms of ${SIZE / 1024} KiB, ${CONNECTIONS} connections`,
    server: name,
    'per second': Math.round(median(rates[name])),
    'to multer': (median(rates[name]) / median(rates.multer)).toFixed(2),
    samples: rates[name].map(Math.round),
  }));
}

module.exports = { small };
