'use strict';
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { median } = require('../figures.js');

const MAIN = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');
const CLIENT = join(__dirname, '..', 'clients', 'entry.js');
const BARE = 'node -e 0';

/** From spawn to exit. */
function timeProcess(arguments_) {
  const started = performance.now();
  execFileSync(process.execPath, arguments_);
  return performance.now() - started;
}

/** What a process measures itself, after Node has started. */
function timeInside(part) {
  return Number(execFileSync(process.execPath, [CLIENT, part]));
}

const WHOLE = {
  [BARE]: () => timeProcess(['-e', '0']),
  'ota-gateway --help': () => timeProcess([MAIN, '--help']),
};
const INSIDE = {
  'require the package': () => timeInside('package'),
  'require the test kit': () => timeInside('kit'),
  'require the test kit and start a gateway': () => timeInside('kit and gateway'),
  'start the first test gateway, all modules loaded': () => timeInside('gateway'),
};

/** What loading costs: whole processes, and what a process measures inside, which is beyond a bare Node by itself. */
async function entry({ rounds, quick }) {
  // One process is short, so a round has several of each.
  const turns = rounds * (quick ? 2 : 5);
  const times = {};
  for (let turn = -1; turn < turns; turn += 1) {
    for (const [name, run] of Object.entries({ ...WHOLE, ...INSIDE })) {
      const ms = run();
      // The first turn reads the files from the disk.
      if (turn >= 0) (times[name] ??= []).push(ms);
    }
  }
  return Object.keys(times).map((name) => {
    const ms = median(times[name]);
    const beyond = name in INSIDE ? ms : ms - median(times[BARE]);
    return {
      row: 'a new process',
      server: name,
      measured: name in INSIDE ? 'inside' : 'from spawn to exit',
      wall: `${ms.toFixed(1)} ms`,
      'beyond node': name === BARE ? '-' : `${beyond.toFixed(1)} ms`,
      samples: times[name].map(Math.round),
    };
  });
}

module.exports = { entry };
