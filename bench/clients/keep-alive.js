'use strict';
const { connect } = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

function open(url) {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).setNoDelay(true);
}

const milliseconds = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * Sends requests over several open connections; each connection sends the next request when the last is answered.
 * @param requests - complete requests as bytes
 * @returns requests per second, latencies in milliseconds, the number of responses with each status, and the bodies of
 *   the responses in the order of the requests
 */
async function drive(url, requests, connections) {
  const waiting = requests.entries();
  const latencies = [];
  const statuses = {};
  const bodies = [];
  const started = milliseconds();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = open(url);
      for (const [place, request] of waiting) {
        const sent = milliseconds();
        socket.write(request);
        const { status, body } = await readAnswer(socket);
        latencies.push(milliseconds() - sent);
        statuses[status] = (statuses[status] ?? 0) + 1;
        bodies[place] = body;
      }
      socket.destroy();
    }),
  );
  const seconds = (milliseconds() - started) / 1000;
  return { perSecond: latencies.length / seconds, latencies, statuses, bodies };
}

/**
 * Sends requests at a steady pace over several connections, until it is stopped. If a request is sent late because the
 * response before it came late, its latency counts from the time when it was due.
 * @param makeRequest - makes one complete request as bytes
 * @returns a function that stops and returns the latencies in milliseconds, or throws when a request has failed
 */
function pace(url, makeRequest, { connections, perSecond }) {
  const interval = (connections / perSecond) * 1000;
  const latencies = [];
  let running = true;
  const started = milliseconds();
  const clients = Array.from({ length: connections }, async (_, place) => {
    const socket = open(url);
    for (let due = started + place * (1000 / perSecond); running; due += interval) {
      const request = makeRequest();
      const early = due - milliseconds();
      if (early > 0) await sleep(early);
      const since = early > 0 ? milliseconds() : due;
      socket.write(request);
      const { status } = await readAnswer(socket);
      if (status !== '200') throw new Error(`status ${status}`);
      latencies.push(milliseconds() - since);
    }
    socket.destroy();
  });
  const done = Promise.all(clients);
  // A failure is thrown by the returned function; until it is called, nothing awaits it.
  done.catch(() => undefined);
  return async () => {
    running = false;
    await done;
    return latencies;
  };
}

/** Reads one response, with a Content-Length or chunked. */
function readAnswer(socket) {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
      const complete =
        length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + Number(length);
      if (!complete) return;
      socket.off('data', read).off('error', reject).off('close', lost);
      resolve({ status: text.slice(9, 12), body: text.slice(end + 4) });
    };
    const lost = () => reject(new Error('the connection was closed'));
    socket.on('data', read).once('error', reject).once('close', lost);
  });
}

module.exports = { drive, pace };
