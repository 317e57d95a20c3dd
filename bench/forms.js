'use strict';
const { randomBytes, randomUUID } = require('node:crypto');
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');
const { callApi, generateOTAUploadURL, signCall } = require(join(dist, 'client', 'api-client.js'));
const { formFields } = require(join(dist, 'client', 'post-object.js'));

const BOUNDARY = '----bench-5d8f0c2b7a914e36';

function apiOf(url) {
  return {
    endpoint: url,
    accessKeyId: 'bench',
    accessKeySecret: 'bench-secret',
    clock: { now: () => Date.now() },
    nonce: () => randomUUID(),
  };
}

function freshGrant(url) {
  return generateOTAUploadURL(apiOf(url));
}

/** The fields of a new grant. Peers get no fields, because they ignore them. */
async function freshFields(url) {
  return formFields(await freshGrant(url));
}

/** One field of a form. */
function formField([name, value]) {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** The bytes of a form before its file and after it. */
function formAround(fields) {
  const parts = fields.map(formField);
  const head =
    parts.join('') +
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  return { head: Buffer.from(head), tail: Buffer.from(`\r\n--${BOUNDARY}--\r\n`) };
}

function requestHead(url, length, connection) {
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: ${connection}\r\n` +
      `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${length}\r\n\r\n`,
  );
}

/** A form with its file as one complete request. */
function formRequest(url, fields, bytes) {
  const { head, tail } = formAround(fields);
  const length = head.length + bytes.length + tail.length;
  return Buffer.concat([requestHead(url, length, 'keep-alive'), head, bytes, tail]);
}

/** A call of the API, signed with V3, as one complete request. */
function apiRequest(url, action, parameters) {
  const call = signCall(apiOf(url), action, parameters);
  const headers = { ...call.headers, connection: 'keep-alive', 'content-length': 0 };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${call.method} ${call.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
}

module.exports = {
  apiOf,
  apiRequest,
  callApi,
  formAround,
  formField,
  formFields,
  formRequest,
  freshFields,
  freshGrant,
  randomBytes,
  requestHead,
  signCall,
};
