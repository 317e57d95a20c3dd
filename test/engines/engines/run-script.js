// Runs a script of scripts/ that installs, starts and stops an engine.
const { execFileSync } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Parses the lines `NAME=VALUE` that a script prints. */
function parseSettings(output) {
  const lines = output.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** An engine may use as many ports, one after the other. */
const PORTS_OF_ENGINE = 20;
/** Below those that the system gives to connections, so that none of them takes a port before the engine does. */
const PORTS = { from: 10_000, to: 32_000 };

async function isFree(port) {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  const result = await listening;
  if (result) await new Promise((resolve) => server.close(resolve));
  return result;
}

/** @returns the first of the ports of an engine */
async function findFreePorts() {
  for (;;) {
    const first = randomInt(PORTS.from, PORTS.to - PORTS_OF_ENGINE);
    const all = Array.from({ length: PORTS_OF_ENGINE }, (_, place) => isFree(first + place));
    if ((await Promise.all(all)).every(Boolean)) return first;
  }
}

/**
 * Starts an engine in a new folder.
 * @param script - its path from the root of the repository
 * @param portName - the setting of the script that says where it listens
 * @returns the settings that it prints, its folder, and a function that stops it and removes the folder
 */
async function startByScript(script, portName) {
  const path = join(__dirname, '..', '..', '..', script);
  const folder = mkdtempSync(join(tmpdir(), 'ota-engine-'));
  const run = (command, port) =>
    execFileSync(path, [command, folder], {
      encoding: 'utf8',
      env: { ...process.env, [portName]: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const port = await findFreePorts();
  const stop = () => {
    run('stop', port);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { settings: parseSettings(run('start', port)), folder, stop };
  } catch (error) {
    stop();
    throw new Error(`${script} start has failed: install the engine by ${script} install`, {
      cause: error,
    });
  }
}

module.exports = { startByScript };
