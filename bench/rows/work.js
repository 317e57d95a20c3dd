'use strict';
const { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { formRequests, succeed } = require('../calls.js');
const { checkFiles, median, settle, until } = require('../figures.js');
const { randomBytes } = require('../forms.js');
const { timeOfProcess, timeOfThread } = require('../processor-time.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');

const PRELOADED = require.resolve('../count-calls.js');
const OURS = pathToFileURL(join(__dirname, '..', '..', 'dist')).href;
const CONNECTIONS = 16;
const COUNTED = 100;
const FILES = 'files alone, without a server';
const BYTES = randomBytes(8);

/** Sends forms. @returns their number, of which each must be stored */
async function post(server, count, connections) {
  await succeed(server.url, await formRequests(server, count, BYTES), connections);
  return count;
}

/** @returns microseconds of processor time per form, also of what a server does after its responses */
async function timeForms(server, count) {
  const requests = await formRequests(server, count, BYTES);
  const read = () => ({
    all: timeOfProcess(server.pid),
    main: timeOfThread(server.pid, server.pid),
  });
  await settle(server);
  const before = read();
  await succeed(server.url, requests, CONNECTIONS);
  await settle(server);
  const after = read();
  const perForm = (threads) => (after[threads] - before[threads]) / count / 1000;
  return { all: perForm('all'), main: perForm('main') };
}

/**
 * @returns microseconds of processor time per file that this process writes into the folder of a server. It shows whether
 * ext4 is slow there because many files were deleted.
 */
function timeFiles(server, count, round) {
  const before = process.cpuUsage();
  for (let n = 0; n < count; n += 1) writeFileSync(join(server.files, `${round}-${n}`), BYTES);
  const { system, user } = process.cpuUsage(before);
  server.sent += count;
  const time = (system + user) / count;
  return { all: time, main: time };
}

/** Processor time of a gateway and of multer, which take turns, and of files alone. */
async function compareTimes(servers, { rounds, warmUp, count }) {
  const times = { [FILES]: [] };
  for (const server of Object.values(servers))
    server.sent = await post(server, warmUp, CONNECTIONS);
  for (let round = 0; round < rounds; round += 1) {
    times[FILES].push(timeFiles(servers.multer, count, round));
    const order = Object.entries(servers);
    for (const [name, server] of round % 2 === 0 ? order : order.reverse()) {
      (times[name] ??= []).push(await timeForms(server, count));
      server.sent += count;
    }
  }
  for (const { files, sent } of Object.values(servers)) checkFiles(files, sent, BYTES);
  return times;
}

async function timesOfForms(folder, options) {
  const data = join(folder, 'data');
  const kept = join(folder, 'multer');
  mkdirSync(kept);
  const gateway = await startGateway(data);
  const multer = await startPeer('upload-peer.js', 'multer', kept, 'keep');
  const servers = {
    gateway: { ...gateway, signed: true, files: join(data, 'objects') },
    multer: { ...multer, signed: false, files: kept },
  };
  const times = await compareTimes(servers, options);
  // What follows is measured without them.
  for (const { stop } of Object.values(servers)) await stop();
  return times;
}

/** @returns the calls of each function of ours since the last time; the first time begins to count */
async function readCalls({ pid }, file) {
  process.kill(pid, 'SIGUSR2');
  await until(() => existsSync(file), { every: 5, seconds: 30 });
  const calls = JSON.parse(readFileSync(file, 'utf8'));
  unlinkSync(file);
  return new Map(
    calls.filter(({ name }) => name.startsWith(OURS)).map(({ name, count }) => [name, count]),
  );
}

/**
 * What a form calls of the functions in dist, in the main thread (see count-calls.js). Forms are sent one after another
 * over one connection. A number of them is counted, then twice that number; the difference leaves out the connection and
 * most of what runs by the clock.
 * @returns the calls of each function per form
 */
async function countCalls(server, file) {
  const counts = [];
  for (const forms of [COUNTED, 2 * COUNTED]) {
    const requests = await formRequests(server, forms, BYTES);
    await settle(server);
    await readCalls(server, file);
    await succeed(server.url, requests, 1);
    await settle(server);
    counts.push(await readCalls(server, file));
  }
  const [once, twice] = counts;
  return new Map(
    [...twice].map(([name, calls]) => [name, (calls - (once.get(name) ?? 0)) / COUNTED]),
  );
}

async function callsOfForms(folder, { rounds, warmUp }) {
  const file = join(folder, 'calls.json');
  const gateway = await startGateway(join(folder, 'counted'), {
    BENCH_CALLS_FILE: file,
    NODE_OPTIONS: `--require ${JSON.stringify(PRELOADED)}`,
  });
  const server = { ...gateway, signed: true };
  await post(server, warmUp, CONNECTIONS);
  await readCalls(server, file);
  const counts = [];
  for (let round = 0; round < rounds; round += 1) counts.push(await countCalls(server, file));
  return counts;
}

function figuresOfTimes(times, count) {
  const of = (name, threads) => times[name].map((time) => time[threads]);
  const to = (name, threads) => median(of(name, threads)) / median(of('multer', threads));
  return Object.keys(times).map((name) => ({
    row: `${count} forms of ${BYTES.length} bytes, ${CONNECTIONS} connections`,
    server: name,
    'main thread': `${median(of(name, 'main')).toFixed(0)} us`,
    'all threads': `${median(of(name, 'all')).toFixed(0)} us`,
    'main to multer': to(name, 'main').toFixed(2),
    'all to multer': to(name, 'all').toFixed(2),
    samples: of(name, 'all').map(Math.round),
  }));
}

/**
 * The functions that each form calls at least once, and the calls of all functions. The median of each function leaves out
 * what only some rounds have: after 1024 small files their journal is removed. The samples are the calls of whole rounds.
 */
function figureOfCalls(counts) {
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const names = [...new Set(counts.flatMap((count) => [...count.keys()]))];
  const calls = names.map((name) => median(counts.map((count) => count.get(name) ?? 0)));
  return {
    row: `a form of ${BYTES.length} bytes, functions in dist`,
    server: 'gateway',
    functions: calls.filter((count) => Math.round(count) >= 1).length,
    calls: Math.round(sum(calls)),
    samples: counts.map((count) => Math.round(sum([...count.values()]))),
  };
}

/** What one form of 8 bytes costs: processor time, compared with multer's disk storage, and the functions that it calls. */
async function work({ rounds, quick }) {
  const options = quick
    ? { rounds, warmUp: 500, count: 1000 }
    : { rounds, warmUp: 2000, count: 4000 };
  const folder = temporaryFolder();
  const times = await timesOfForms(folder.path, options);
  const counts = await callsOfForms(folder.path, options);
  return [...figuresOfTimes(times, options.count), figureOfCalls(counts)];
}

module.exports = { work };
