'use strict';
const { spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { closeLater } = require('./cleanup.js');

const MAIN = join(__dirname, '..', 'dist', 'cli', 'main.js');
const CLOCK_TICKS_MS = 10;

/** Starts a server that prints `listening on URL`. It is stopped at the end of its row at the latest. */
async function start(args, environment = {}) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = (signal) => {
    child.kill(signal);
    return exited;
  };
  closeLater(() => end('SIGTERM'));
  let output = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      output += chunk;
      const found = /^listening on (\S+)$/m.exec(output);
      if (found) resolve(found[1]);
    });
    child.once('exit', () => reject(new Error(output)));
  });
  return {
    url,
    pid: child.pid,
    /** CPU time in milliseconds, user and system. */
    cpu: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICKS_MS;
    },
    /** Peak memory so far, in MiB. */
    peak: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+)/m.exec(status)[1]) / 1024;
    },
    stop: () => end('SIGTERM'),
    /** As a crash of the process. */
    kill: () => end('SIGKILL'),
  };
}

function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), 'ota-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Makes a folder that is removed at the end of its row, when its servers are stopped. */
function temporaryFolder() {
  const folder = makeFolder();
  closeLater(() => folder.remove());
  return folder;
}

/**
 * The built gateway in its default configuration, but with fixed access keys and without quotas.
 * @param port - 0 for a free one
 */
function startGateway(folder, environment = {}, port = 0) {
  return start([MAIN, 'serve', '--port', String(port), '--data-dir', folder], {
    OTA_GATEWAY_ACCESS_KEY_ID: 'bench',
    OTA_GATEWAY_ACCESS_KEY_SECRET: 'bench-secret',
    OTA_GATEWAY_QPS: 'off',
    OTA_GATEWAY_LOG_LEVEL: 'warn',
    ...environment,
  });
}

function startPeer(file, ...args) {
  return start([join(__dirname, 'peers', file), ...args]);
}

module.exports = { makeFolder, startGateway, startPeer, temporaryFolder };
