'use strict';
// Opens connections that know no key, all at once. Each sends the fields of a form and never its file, and waits for an
// answer until the time is over: node strangers.js URL CONNECTIONS SECONDS.
// Prints the number of connections with each outcome: the status of the answer; `held` when all bytes were accepted,
// and `waiting` when they were not; the code of an error; `cut`.
const { connect } = require('node:net');
const { clearTimeout } = require('node:timers');
const { formField, requestHead } = require('../forms.js');

const MIB = 1024 * 1024;
/** What the form announces, most of it for the file. */
const FORM_SIZE = 100 * MIB;

const [, , url, connections, seconds] = process.argv;
const { hostname, port } = new URL(url);
const field = Buffer.from(formField(['x', 'v'.repeat(MIB - 1)]));
const bytes = Buffer.concat([requestHead(url, FORM_SIZE, 'keep-alive'), field]);

function attack() {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let isSent = false;
    const end = (outcome) => {
      clearTimeout(timer);
      socket.resetAndDestroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end(isSent ? 'held' : 'waiting'), Number(seconds) * 1000);
    socket.on('data', (answer) => end(answer.toString('latin1', 9, 12)));
    socket.on('error', ({ code }) => end(code));
    socket.on('close', () => end('cut'));
    socket.write(bytes, (error) => (isSent = !error));
  });
}

async function main() {
  const outcomes = {};
  for (const outcome of await Promise.all(Array.from({ length: Number(connections) }, attack))) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  console.log(JSON.stringify(outcomes));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
