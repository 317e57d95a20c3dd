'use strict';
const { apiRequest, formRequest, freshFields, randomBytes } = require('../forms.js');
const { drive } = require('../clients/keep-alive.js');
const { openLivePage } = require('../clients/live-page.js');
const { startGateway, temporaryFolder } = require('../servers.js');
const { median, settle } = require('../figures.js');

const CONNECTIONS = 16;
const SIZE = 64 * 1024;

const WORK = {
  'GenerateOTAUploadURL, V3': async (url) => apiRequest(url, 'GenerateOTAUploadURL'),
  'forms of 64 KiB': async (url) => formRequest(url, await freshFields(url), randomBytes(SIZE)),
};

/** Processor time of a call while a page of the console is open, compared with a gateway that nobody watches. */
async function watched({ rounds, quick }) {
  const folders = { alone: temporaryFolder(), watched: temporaryFolder() };
  const servers = {};
  for (const [name, { path }] of Object.entries(folders)) servers[name] = await startGateway(path);
  await openLivePage(servers.watched.url);
  const times = {};
  for (let round = -1; round < rounds; round += 1) {
    for (const [work, make] of Object.entries(WORK)) {
      const count = (quick ? 1 : 4) * (work.startsWith('forms') ? 500 : 3000);
      const order = Object.entries(servers);
      for (const [name, server] of round % 2 === 0 ? order : order.reverse()) {
        const requests = [];
        for (let n = 0; n < count; n += 1) requests.push(await make(server.url));
        await settle(server);
        const before = server.cpu();
        const { statuses } = await drive(server.url, requests, CONNECTIONS);
        if (statuses['200'] !== count) throw new Error(JSON.stringify(statuses));
        // The first round warms up.
        if (round >= 0) ((times[work] ??= {})[name] ??= []).push((server.cpu() - before) / count);
      }
    }
  }
  return Object.entries(times).flatMap(([work, of]) =>
    Object.keys(servers).map((name) => ({
      row: `${work}, ${CONNECTIONS} connections`,
      server: name,
      'processor time': `${(median(of[name]) * 1000).toFixed(0)} us`,
      'to alone': (median(of[name]) / median(of.alone)).toFixed(2),
      samples: of[name].map((time) => Math.round(time * 1000)),
    })),
  );
}

module.exports = { watched };
