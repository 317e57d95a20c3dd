'use strict';
// Loads a part of the built package in a new process: node entry.js PART. Prints milliseconds.
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');

const dist = join(__dirname, '..', '..', 'dist');
const load = (...path) => require(join(dist, ...path));
const startGateway = () => load('testing', 'index.js').startTestGateway();

const PARTS = {
  package: { measured: () => load('index.js') },
  kit: { measured: () => load('testing', 'index.js') },
  'kit and gateway': { measured: startGateway },
  gateway: {
    before: () => {
      load('index.js');
      // What the kit loads at its first start.
      load('testing', 'start-test-gateway.js');
    },
    measured: startGateway,
  },
};

async function main([, , part]) {
  const { before, measured } = PARTS[part];
  before?.();
  const started = performance.now();
  const gateway = await measured();
  const ms = performance.now() - started;
  await gateway.close?.();
  console.log(ms);
}

main(process.argv).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
