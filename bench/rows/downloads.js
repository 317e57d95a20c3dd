'use strict';
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Readable } = require('node:stream');
const { download } = require('../clients/download.js');
const { apiOf, freshFields, randomBytes } = require('../forms.js');
const { median } = require('../figures.js');
const { serving, startNginx } = require('../peers/nginx.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');

const dist = join(__dirname, '..', '..', 'dist');
const { createOTAFirmware, queryDownloadUrl } = require(join(dist, 'client', 'api-client.js'));
const { postObject } = require(join(dist, 'client', 'post-object.js'));

const MIB = 1024 * 1024;
const SMALL = 64 * 1024;
const AT_ONCE = 16;

/** Uploads and claims a file. @returns its signed URL */
async function publish(url, name, bytes) {
  const fields = await freshFields(url);
  const key = new Map(fields).get('key');
  const file = { name, size: bytes.length, bytes: Readable.from([bytes]) };
  const { status } = await postObject(url, fields, file);
  if (status !== 200) throw new Error(`status ${status}`);
  const wanted = { FirmwareName: name, DestVersion: '1', FirmwareUrl: `${url}/${key}` };
  const FirmwareId = await createOTAFirmware(apiOf(url), wanted);
  return queryDownloadUrl(apiOf(url), { FirmwareId });
}

async function timed(work) {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

async function manyAtOnce(url, count) {
  let left = count;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (; left > 0; left -= 1) await download(url);
    }),
  );
}

/** One large and many small downloads: by signed URL from the gateway, without checks from express.static and nginx. */
async function downloads({ rounds, quick }) {
  const folder = temporaryFolder();
  const root = join(folder.path, 'files');
  mkdirSync(root);
  const large = randomBytes((quick ? 100 : 500) * MIB);
  const small = randomBytes(SMALL);
  writeFileSync(join(root, 'large.bin'), large);
  writeFileSync(join(root, 'small.bin'), small);
  const gateway = await startGateway(join(folder.path, 'data'));
  const express = await startPeer('static-peer.js', root);
  const nginx = await startNginx(folder.path, serving(root));
  const targets = {
    gateway: {
      large: await publish(gateway.url, 'large', large),
      small: await publish(gateway.url, 'small', small),
    },
    'express.static': { large: `${express.url}/large.bin`, small: `${express.url}/small.bin` },
    ...(nginx && { nginx: { large: `${nginx.url}/large.bin`, small: `${nginx.url}/small.bin` } }),
  };
  const times = {};
  const count = quick ? 500 : 2000;
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, urls] of Object.entries(targets)) {
      const record = (times[name] ??= { large: [], small: [] });
      record.large.push(await timed(() => download(urls.large)));
      record.small.push(await timed(() => manyAtOnce(urls.small, count)));
    }
  }
  return ['large', 'small'].flatMap((kind) =>
    Object.keys(targets).map((name) => {
      const to = (peer) =>
        peer in times ? (median(times[name][kind]) / median(times[peer][kind])).toFixed(2) : '-';
      return {
        row: kind === 'large' ? `download of ${large.length / MIB} MiB` : `${count} of 64 KiB`,
        server: name,
        wall: `${Math.round(median(times[name][kind]))} ms`,
        'to express.static': to('express.static'),
        'to nginx': to('nginx'),
        samples: times[name][kind].map(Math.round),
      };
    }),
  );
}

module.exports = { downloads };
