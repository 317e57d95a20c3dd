'use strict';
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { join } = require('node:path');
const { download } = require('../clients/download.js');
const { apiOf, callApi, formFields, freshGrant } = require('../forms.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');
const { filesIn, median, settle, until, warmMemory } = require('../figures.js');

const dist = join(__dirname, '..', '..', 'dist');
const { queryDownloadUrl } = require(join(dist, 'client', 'api-client.js'));

const CLIENT = join(__dirname, '..', 'clients', 'large-form.js');

function post(url, mib, ...more) {
  const arguments_ = [CLIENT, url, String(mib), ...more.map((each) => JSON.stringify(each))];
  const result = JSON.parse(execFileSync(process.execPath, arguments_));
  if (result.status !== '200') throw new Error(`status ${result.status}`);
  return result;
}

async function postAndClaim(url, mib, name) {
  const grant = await freshGrant(url);
  const claim = { FirmwareName: name, DestVersion: '1', FirmwareUrl: grant.firmwareUrl };
  return post(url, mib, formFields(grant), claim);
}

/** @throws when the downloaded file is not the one that was sent */
async function readBack(url, { firmwareId, sha256 }) {
  const hash = createHash('sha256');
  const signedUrl = await queryDownloadUrl(apiOf(url), { FirmwareId: firmwareId });
  await download(signedUrl, (chunk) => hash.update(chunk));
  const found = hash.digest('hex');
  if (found !== sha256) throw new Error(`sent ${sha256}, read back ${found}`);
}

async function remove(url, { firmwareId }, folder) {
  await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: firmwareId });
  const objects = join(folder, 'objects');
  await until(() => filesIn(objects) === 0, { every: 100, seconds: 30 });
}

/** One large form: the gateway verifies, hashes, flushes and records it, then it is claimed; peers only write a file. */
async function large({ rounds, quick }) {
  const mib = quick ? 200 : 1000;
  const folder = temporaryFolder();
  const often = { OTA_GATEWAY_PURGE_CRON: '* * * * * *' };
  const servers = {
    gateway: await startGateway(folder.path, often),
    multer: await startPeer('upload-peer.js', 'multer', folder.path),
    'multer+digests': await startPeer('upload-peer.js', 'multer+digests', folder.path),
  };
  const wall = { claim: [] };
  const cpu = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(servers)) {
      warmMemory(folder.path, mib + 200);
      const before = server.cpu();
      const isOurs = name === 'gateway';
      const result = isOurs
        ? await postAndClaim(server.url, mib, `large-${round}`)
        : post(server.url, mib, []);
      (wall[name] ??= []).push(result.ms);
      // Work of a server after its response, such as the SHA-256, must not slow down the next one.
      await settle(server);
      (cpu[name] ??= []).push(server.cpu() - before);
      if (!isOurs) continue;
      wall.claim.push(result.claimedAfter);
      await readBack(server.url, result);
      await remove(server.url, result, folder.path);
      await settle(server);
    }
  }
  const figure = (row, server, times) => ({
    row,
    server,
    wall: `${Math.round(median(times))} ms`,
    'to multer': (median(times) / median(wall.multer)).toFixed(2),
    samples: times.map(Math.round),
  });
  return [
    ...Object.keys(servers).map((name) => ({
      ...figure(`${mib} MiB form`, name, wall[name]),
      cpu: `${Math.round(median(cpu[name]))} ms`,
    })),
    figure(`${mib} MiB form, then claimed by SHA-256, read back equal`, 'gateway', wall.claim),
  ];
}

module.exports = { large, postAndClaim, readBack };
