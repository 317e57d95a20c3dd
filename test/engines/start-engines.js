// Jest's globalSetup: starts the engines that the environment does not name. An engine that is missing is a failure.
const buildIfStale = require('../../scripts/build-if-stale.js');
const engines = require('./engines/index.js');

/** What this run has started; stop-engines.js stops it. */
const started = [];

async function startEngines() {
  buildIfStale();
  for (const { start, variable } of engines) {
    if (process.env[variable]) continue;
    const engine = await start();
    started.push(engine);
    Object.assign(process.env, engine.settings);
  }
}

module.exports = Object.assign(startEngines, { started });
