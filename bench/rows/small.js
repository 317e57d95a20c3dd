'use strict';
const { join } = require('node:path');
const { download } = require('../clients/download.js');
const { apiOf, formFields, formRequest, freshGrant, randomBytes } = require('../forms.js');
const { drive } = require('../clients/keep-alive.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');
const { median } = require('../figures.js');

const dist = join(__dirname, '..', '..', 'dist');
const { createOTAFirmware, queryDownloadUrl } = require(join(dist, 'client', 'api-client.js'));

const CONNECTIONS = 16;
const SIZE = 64 * 1024;
/** Files of the last round that are read back. */
const READ_BACK = 50;

async function requestsFor(name, url, count) {
  const bytes = randomBytes(SIZE);
  const [grants, requests] = [[], []];
  for (let n = 0; n < count; n += 1) {
    const grant = name === 'gateway' ? await freshGrant(url) : undefined;
    if (grant !== undefined) grants.push(grant);
    requests.push(formRequest(url, grant === undefined ? [] : formFields(grant), bytes));
  }
  return { bytes, grants, requests };
}

/** @throws when a file cannot be claimed, or has other bytes than were sent */
async function readBack(url, { bytes, grants }) {
  const step = Math.ceil(grants.length / READ_BACK);
  for (let n = 0; n < grants.length; n += step) {
    const wanted = {
      FirmwareName: `small-${n}`,
      DestVersion: '1',
      FirmwareUrl: grants[n].firmwareUrl,
    };
    const FirmwareId = await createOTAFirmware(apiOf(url), wanted);
    const chunks = [];
    await download(await queryDownloadUrl(apiOf(url), { FirmwareId }), (chunk) =>
      chunks.push(chunk),
    );
    if (!Buffer.concat(chunks).equals(bytes)) throw new Error(`${grants[n].firmwareUrl} differs`);
  }
}

/** Kills the gateway right after its last answer, and reads back what it has acknowledged. */
async function killAndReadBack(gateway, folder, sent) {
  await gateway.kill();
  const again = await startGateway(folder, {}, new URL(gateway.url).port);
  await readBack(again.url, sent);
}

/** Many small forms over 16 connections; in the gateway each is verified, durable and recorded in the ledger. */
async function small({ rounds, quick }) {
  const count = quick ? 300 : 1000;
  const folder = temporaryFolder();
  const servers = {
    // All servers keep their files: after many files were deleted, ext4 creates new ones slowly for half a minute.
    multer: await startPeer('upload-peer.js', 'multer', folder.path, 'keep'),
    formidable: await startPeer('upload-peer.js', 'formidable', folder.path, 'keep'),
    // The last of each round, so that it is killed right after its last answer.
    gateway: await startGateway(folder.path),
  };
  const rates = {};
  let sent;
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { url }] of Object.entries(servers)) {
      sent = await requestsFor(name, url, count);
      const result = await drive(url, sent.requests, CONNECTIONS);
      if (result.statuses['200'] !== count) throw new Error(JSON.stringify(result.statuses));
      (rates[name] ??= []).push(result.perSecond);
    }
  }
  await killAndReadBack(servers.gateway, folder.path, sent);
  return Object.keys(servers).map((name) => ({
    row: `${count} forms of ${SIZE / 1024} KiB, ${CONNECTIONS} connections`,
    server: name,
    'per second': Math.round(median(rates[name])),
    'to multer': (median(rates[name]) / median(rates.multer)).toFixed(2),
    samples: rates[name].map(Math.round),
  }));
}

module.exports = { small };
