'use strict';
const { randomUUID } = require('node:crypto');
const { join } = require('node:path');
const { apiOf, apiRequest, callApi } = require('../forms.js');
const { drive } = require('../clients/keep-alive.js');
const { startGateway, startPeer, temporaryFolder } = require('../servers.js');
const { median } = require('../figures.js');

const dist = join(__dirname, '..', '..', 'dist');
const { apiV1StringToSign, signApiV1 } = require(join(dist, 'signatures', 'api-v1.js'));
const { percentEncode } = require(join(dist, 'signatures', 'percent-encoding.js'));

const ACTION = 'GenerateOTAUploadURL';
const CONNECTIONS = 16;

/** A call of the API, signed with V1, as one complete request. */
function apiRequestV1(url, action) {
  const parameters = {
    AccessKeyId: 'bench',
    Action: action,
    Format: 'JSON',
    SignatureMethod: 'HMAC-SHA1',
    SignatureNonce: randomUUID(),
    SignatureVersion: '1.0',
    Timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    Version: '2018-01-20',
  };
  const stringToSign = apiV1StringToSign('GET', Object.entries(parameters));
  const signed = { ...parameters, Signature: signApiV1('bench-secret', stringToSign) };
  const query = Object.entries(signed).map(([name, value]) => `${name}=${percentEncode(value)}`);
  return Buffer.from(
    `GET /?${query.join('&')} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nConnection: keep-alive\r\n\r\n`,
  );
}

const SIGNERS = { V1: apiRequestV1, V3: apiRequest };

/** GenerateOTAUploadURL over 16 connections, compared with an Express route that returns the same JSON. */
async function signing({ rounds, quick }) {
  const count = quick ? 2000 : 10_000;
  const folder = temporaryFolder();
  const gateway = await startGateway(folder.path);
  const answer = JSON.stringify(await callApi(apiOf(gateway.url), ACTION));
  const servers = { gateway, 'bare Express': await startPeer('json-peer.js', answer) };
  const rates = { V1: {}, V3: {} };
  for (let round = 0; round < rounds; round += 1) {
    for (const [version, sign] of Object.entries(SIGNERS)) {
      for (const [name, { url }] of Object.entries(servers)) {
        const requests = Array.from({ length: count }, () => sign(url, ACTION));
        const result = await drive(url, requests, CONNECTIONS);
        if (result.statuses['200'] !== count) throw new Error(JSON.stringify(result.statuses));
        (rates[version][name] ??= []).push(result.perSecond);
      }
    }
  }
  return Object.entries(rates).flatMap(([version, of]) =>
    Object.keys(servers).map((name) => ({
      row: `${count} calls of ${ACTION}, ${version}, ${CONNECTIONS} connections`,
      server: name,
      'per second': Math.round(median(of[name])),
      'to bare Express': (median(of[name]) / median(of['bare Express'])).toFixed(2),
      samples: of[name].map(Math.round),
    })),
  );
}

module.exports = { signing };
