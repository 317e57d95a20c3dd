'use strict';
const { connect } = require('node:net');

/**
 * Sends requests over several connections that stay open, the next one on each as soon as the last is answered.
 * @param requests - complete requests as bytes
 * @returns requests per second, latencies in milliseconds, and how often each status came
 */
async function drive(url, requests, connections) {
  const { hostname, port } = new URL(url);
  const waiting = requests.values();
  const latencies = [];
  const statuses = {};
  const started = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(Number(port), hostname);
      socket.setNoDelay(true);
      for (const request of waiting) {
        const sent = process.hrtime.bigint();
        socket.write(request);
        const status = await readAnswer(socket);
        latencies.push(Number(process.hrtime.bigint() - sent) / 1e6);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      socket.destroy();
    }),
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { perSecond: latencies.length / seconds, latencies, statuses };
}

/** Reads one answer with a Content-Length, or chunked. */
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
      resolve(text.slice(9, 12));
    };
    const lost = () => reject(new Error('the connection was closed'));
    socket.on('data', read).once('error', reject).once('close', lost);
  });
}

module.exports = { drive };
