'use strict';
// Preloaded into a server (--require). The first SIGUSR2 begins to count calls in the main thread; each further one
// writes what was called since the last one to the file that BENCH_CALLS_FILE names, as a list of function and count.
//
// The counts come from V8's precise coverage: how many times the code of a function was entered. Callbacks, getters and
// initializers of fields count as functions; an async function is entered once more after each await, and a generator
// after each yield.
const { renameSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const { isMainThread } = require('node:worker_threads');

function listCalls({ result }) {
  return result.flatMap(({ functions, url }) =>
    functions.map(({ functionName, ranges: [{ count, endOffset, startOffset }] }) => ({
      name: `${url}:${startOffset}-${endOffset} ${functionName}`,
      count,
    })),
  );
}

/** Writes the file in one step, because the row reads it as soon as it exists. */
function writeCalls(calls) {
  const path = process.env.BENCH_CALLS_FILE;
  writeFileSync(`${path}.new`, JSON.stringify(calls));
  renameSync(`${path}.new`, path);
}

function countOnSignal() {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  const post = (method, parameters) =>
    session.post(method, parameters, (error, answer) => {
      if (error) throw error;
      writeCalls(answer.result ? listCalls(answer) : []);
    });
  process.once('SIGUSR2', () => {
    post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    process.on('SIGUSR2', () => post('Profiler.takePreciseCoverage'));
  });
}

// Preloaded files run in every thread.
if (isMainThread) countOnSignal();
