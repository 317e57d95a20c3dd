'use strict';
const { join } = require('node:path');
const { get } = require('node:http');
const { clearInterval, setInterval } = require('node:timers');
const { closeLater } = require('../cleanup.js');
const { apiOf } = require('../forms.js');

const dist = join(__dirname, '..', '..', 'dist');
const { signOperatorCall } = require(join(dist, 'client', 'operator-call.js'));

/** Requests a path of the operator API. @returns the request and its response */
function request(url, path, query = {}) {
  const call = signOperatorCall(apiOf(url), { method: 'GET', path, query });
  return new Promise((resolve, reject) => {
    const sent = get(call.url, { headers: call.headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
      else resolve({ sent, response });
    });
    sent.on('error', reject);
  });
}

/**
 * Does what an open page of the console does: receives the events, and reads the list and the overview again when there
 * were some, at most once a second, until the end of the row.
 */
async function openLivePage(url) {
  const types = 'upload,package,refusal,usage,lost';
  const { sent, response } = await request(url, '/events', { fold: 'on', types });
  let events = 0;
  response.on('data', () => (events += 1));
  response.on('error', () => undefined);
  const read = async (path) => (await request(url, path)).response.resume();
  const timer = setInterval(() => {
    if (events === 0) return;
    events = 0;
    for (const path of ['/uploads', '/about']) {
      read(path).catch((error) => {
        console.error(error);
        process.exitCode = 1;
      });
    }
  }, 1000);
  closeLater(() => {
    clearInterval(timer);
    sent.destroy();
  });
}

module.exports = { openLivePage };
