// Runs a script of scripts/ that installs, starts and stops an engine.
const { execFileSync } = require('node:child_process');
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

async function findFreePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts an engine in a new folder.
 * @param script - its path from the root of the repository
 * @param portName - the setting of the script that says where it listens
 * @returns the settings that it prints, and a function that stops it and removes its folder
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
  const port = await findFreePort();
  const stop = () => {
    run('stop', port);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { settings: parseSettings(run('start', port)), stop };
  } catch (error) {
    stop();
    throw new Error(`${script} start has failed: install the engine by ${script} install`, {
      cause: error,
    });
  }
}

module.exports = { startByScript };
