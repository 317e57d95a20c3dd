'use strict';
// Posts one large form over a raw socket, and claims its file if a claim is given:
// node large-form.js URL MIB FIELDS-JSON [CLAIM-JSON]. Prints milliseconds, status and digest.
const { createHash } = require('node:crypto');
const { request } = require('node:http');
const { connect } = require('node:net');
const { json } = require('node:stream/consumers');
const { apiOf, formAround, randomBytes, requestHead, signCall } = require('../forms.js');

const [, , url, mib, fields, claim] = process.argv;
const { head, tail } = formAround(JSON.parse(fields));
const chunk = randomBytes(1024 * 1024);
const length = head.length + Number(mib) * chunk.length + tail.length;
const { hostname, port } = new URL(url);
const sha256 = claim === undefined ? undefined : digest();

function digest() {
  const hash = createHash('sha256');
  for (let n = 0; n < Number(mib); n += 1) hash.update(chunk);
  return hash.digest('hex');
}

/** Claims the upload. The claim is refused as busy, and retried, until the server has computed the digest. */
async function claimUpload() {
  const named = { SignMethod: 'SHA256', FirmwareSign: sha256, FirmwareSize: mib * chunk.length };
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const parameters = { ...JSON.parse(claim), ...named };
    const call = signCall(apiOf(url), 'CreateOTAFirmware', parameters);
    const answer = await send(call);
    if (answer.Success) return { firmwareId: answer.Data.FirmwareId, sha256 };
    if (answer.Code !== 'iot.firmware.SystemBusy') throw new Error(JSON.stringify(answer));
  }
  throw new Error('the claim was busy every time');
}

function send({ headers, method, url: path }) {
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, method, path, headers, agent: false });
    call.once('response', (response) => resolve(json(response))).once('error', reject);
    call.end();
  });
}

const started = process.hrtime.bigint();
const milliseconds = () => Number(process.hrtime.bigint() - started) / 1e6;
let sent = 0;
let answer = '';
const socket = connect(Number(port), hostname, async () => {
  socket.write(requestHead(url, length, 'close'));
  socket.write(head);
  for (let n = 0; n < Number(mib) && answer === ''; n += 1) {
    sent += chunk.length;
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  if (answer === '') socket.write(tail);
});
let answeredAfter;
socket.on('data', (data) => {
  answeredAfter ??= milliseconds();
  answer += data;
  socket.emit('drain');
});
socket.on('error', () => undefined);
socket.on('close', async () => {
  const ms = milliseconds();
  const status = answer.slice(9, 12);
  const claimed = claim !== undefined && status === '200' ? await claimUpload() : undefined;
  const claimedAfter = claimed && milliseconds();
  console.log(JSON.stringify({ ms, answeredAfter, status, sent, ...claimed, claimedAfter }));
});
