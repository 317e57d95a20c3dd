'use strict';
const { execFile } = require('node:child_process');
const { mkdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const { formRequests } = require('../calls.js');
const { pace } = require('../clients/keep-alive.js');
const { checkFiles, median, quantile } = require('../figures.js');
const { randomBytes } = require('../forms.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');

const CLIENT = join(__dirname, '..', 'clients', 'strangers.js');
const SIZE = 64 * 1024;
/** One client that sends a form every 50 ms. */
const PACE = { connections: 1, perSecond: 20 };
/** The attack ends after this time even if its own clock does not end it. */
const LIMIT_SECONDS = 40;
/** Files and sockets of a process that has no connection, and some more. */
const OTHER_DESCRIPTORS = 200;

const SERVERS = {
  gateway: {
    signed: true,
    start: startGateway,
    files: (folder) => join(folder, 'objects'),
  },
  multer: {
    signed: false,
    start: (folder) => startPeer('upload-peer.js', 'multer', folder, 'keep'),
    files: (folder) => folder,
  },
};

/** @throws when the limit of open files, which each server inherits, is too low for the connections */
function checkDescriptors(connections) {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const allowed = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const needed = connections + OTHER_DESCRIPTORS;
  if (allowed < needed) throw new Error(`a limit of ${needed} open files is needed: ulimit -n`);
}

/** Sends forms at a steady pace during some work, all of which must succeed. @returns the latencies */
async function beside(url, requests, work) {
  const stop = pace(url, () => requests.pop(), PACE);
  const result = await work().catch(async (error) => {
    await stop();
    throw error;
  });
  return { result, latencies: await stop() };
}

async function attack(url, { connections, seconds }) {
  const arguments_ = [CLIENT, url, String(connections), String(seconds)];
  const options = { timeout: LIMIT_SECONDS * 1000 };
  const { stdout } = await promisify(execFile)(process.execPath, arguments_, options);
  return JSON.parse(stdout);
}

/** One attack on a new server: what became of the strangers, the peak of memory, and the latencies of the signed client. */
async function measure({ files, signed, start }, folder, scale) {
  mkdirSync(folder);
  const bytes = randomBytes(SIZE);
  const server = await start(folder);
  const idle = server.peak();
  const count = (scale.quiet + LIMIT_SECONDS) * PACE.perSecond;
  const requests = await formRequests({ signed, url: server.url }, count, bytes);
  const alone = await beside(server.url, requests, () => sleep(scale.quiet * 1000));
  const attacked = await beside(server.url, requests, () => attack(server.url, scale));
  checkFiles(files(folder), count - requests.length, bytes);
  const beyond = server.peak() - idle;
  await server.stop();
  return {
    alone: alone.latencies,
    attacked: attacked.latencies,
    idle,
    beyond,
    outcomes: attacked.result,
  };
}

function figuresOf(name, { connections }, results) {
  const all = (field) => results.flatMap((result) => result[field]);
  const p99 = (field) => quantile(all(field), 0.99);
  const beyond = all('beyond');
  const outcomes = [...new Set(all('outcomes').flatMap((each) => Object.keys(each)))].sort();
  const number = (outcome) => median(all('outcomes').map((each) => each[outcome] ?? 0));
  return {
    row: `${connections} strangers send 1 MiB of fields each`,
    server: name,
    idle: `${Math.round(median(all('idle')))} MiB`,
    beyond: `${Math.round(median(beyond))} MiB`,
    strangers: outcomes.map((outcome) => `${outcome}: ${number(outcome)}`).join(', '),
    'signed forms': `${all('attacked').length}, all 200`,
    median: `${median(all('attacked')).toFixed(1)} ms`,
    p99: `${p99('attacked').toFixed(1)} ms`,
    'median alone': `${median(all('alone')).toFixed(1)} ms`,
    'p99 alone': `${p99('alone').toFixed(1)} ms`,
    samples: beyond.map(Math.round),
  };
}

/** Many clients that never sign hold the fields of a form, while one client uploads: how much memory the server takes. */
async function strangers({ rounds, quick }) {
  const scale = quick
    ? { connections: 300, seconds: 3, quiet: 1 }
    : { connections: 1000, seconds: 8, quiet: 4 };
  checkDescriptors(scale.connections);
  const folder = temporaryFolder();
  const results = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(SERVERS)) {
      const result = await measure(server, join(folder.path, `${name}-${round}`), scale);
      (results[name] ??= []).push(result);
    }
  }
  return Object.entries(results).map(([name, of]) => figuresOf(name, scale, of));
}

module.exports = { strangers };
