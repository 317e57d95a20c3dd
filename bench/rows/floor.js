'use strict';
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { median } = require('../figures.js');
const { randomBytes } = require('../forms.js');
const { spooling, startNginx } = require('../peers/nginx.js');
const { temporaryFolder } = require('../servers.js');

const dist = join(__dirname, '..', '..', 'dist');
const { createCrc64Engine } = require(join(dist, 'object-store', 'hashing', 'crc64.js'));

const CLIENT = join(__dirname, '..', 'clients', 'large-form.js');

function timed(work) {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function writeAndFlush(folder, mib) {
  const file = join(folder, 'floor');
  const arguments_ = ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${mib}`, 'conv=fsync'];
  const ms = timed(() => execFileSync('dd', arguments_, { stdio: 'ignore' }));
  execFileSync('rm', [file]);
  return ms;
}

function post(url, mib) {
  const result = JSON.parse(execFileSync(process.execPath, [CLIENT, url, String(mib), '[]']));
  if (result.status !== '200') throw new Error(`status ${result.status}`);
  return result.ms;
}

function hashAll(hash, chunk, mib) {
  return timed(() => {
    for (let n = 0; n < mib; n += 1) hash.update(chunk);
    hash.digest('hex');
  });
}

/** The lower bounds of this machine: writing, receiving to a file, and hashing on one core. */
async function floor({ rounds, quick }) {
  const mib = quick ? 200 : 1000;
  const folder = temporaryFolder();
  const nginx = await startNginx(folder.path, spooling(folder.path));
  const chunk = randomBytes(1024 * 1024);
  const crc64 = createCrc64Engine();
  const floors = {
    'dd conv=fsync': () => writeAndFlush(folder.path, mib),
    ...(nginx && { 'nginx, form spooled unparsed': () => post(nginx.url, mib) }),
    MD5: () => hashAll(createHash('md5'), chunk, mib),
    'SHA-256': () => hashAll(createHash('sha256'), chunk, mib),
    'CRC-64': () => hashAll(crc64.start(), chunk, mib),
  };
  const times = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(floors)) (times[name] ??= []).push(run());
  }
  return Object.keys(floors).map((name) => ({
    row: `floor, ${mib} MiB`,
    server: name,
    wall: `${Math.round(median(times[name]))} ms`,
    'MiB per second': Math.round((mib / median(times[name])) * 1000),
    samples: times[name].map(Math.round),
  }));
}

module.exports = { floor };
