'use strict';
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { freshFields } = require('../forms.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');
const { median, settle } = require('../figures.js');

const CLIENT = join(__dirname, '..', 'clients', 'large-form.js');

function post(url, mib, fields) {
  const arguments_ = [CLIENT, url, String(mib), JSON.stringify(fields)];
  const result = JSON.parse(execFileSync(process.execPath, arguments_));
  if (result.status !== '200') throw new Error(`status ${result.status}`);
  return result.ms;
}

/** One large form: verified, hashed, flushed and on record here; spooled to a file by the peers. */
async function large({ rounds, quick }) {
  const mib = quick ? 200 : 1000;
  const folder = temporaryFolder();
  const fast = { OTA_GATEWAY_CLAIM_TTL: '1s', OTA_GATEWAY_PURGE_CRON: '* * * * * *' };
  const servers = {
    gateway: await startGateway(folder.path, fast),
    multer: await startPeer('upload-peer.js', 'multer', folder.path),
    'multer+digests': await startPeer('upload-peer.js', 'multer+digests', folder.path),
  };
  const wall = {};
  const cpu = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(servers)) {
      const fields = name === 'gateway' ? await freshFields(server.url) : [];
      const before = server.cpu();
      (wall[name] ??= []).push(post(server.url, mib, fields));
      // What a server goes on doing after its answer, such as the SHA-256, must not slow the next one.
      await settle(server);
      (cpu[name] ??= []).push(server.cpu() - before);
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  folder.remove();
  return Object.keys(servers).map((name) => ({
    row: `${mib} MiB form`,
    server: name,
    wall: `${Math.round(median(wall[name]))} ms`,
    cpu: `${Math.round(median(cpu[name]))} ms`,
    'to multer': (median(wall[name]) / median(wall.multer)).toFixed(2),
    samples: wall[name].map(Math.round),
  }));
}

module.exports = { large };
