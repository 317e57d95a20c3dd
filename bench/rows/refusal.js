'use strict';
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { freshFields } = require('../forms.js');
const { startGateway, temporaryFolder } = require('../servers.js');
const { median } = require('../figures.js');

const CLIENT = join(__dirname, '..', 'clients', 'large-form.js');

/** A 1000 MiB form with a wrong signature: the time until the response, and the bytes sent until then. */
async function refusal({ rounds }) {
  const folder = temporaryFolder();
  const gateway = await startGateway(folder.path);
  const results = [];
  for (let round = 0; round < rounds; round += 1) {
    const fields = await freshFields(gateway.url);
    const wrong = fields.map(([name, value]) => [name, name === 'signature' ? 'wrong' : value]);
    const arguments_ = [CLIENT, gateway.url, '1000', JSON.stringify(wrong)];
    const result = JSON.parse(execFileSync(process.execPath, arguments_));
    if (result.status !== '403') throw new Error(`status ${result.status}`);
    results.push(result);
  }
  return [
    {
      row: 'refused 1000 MiB form',
      server: 'gateway',
      'answered after': `${median(results.map((result) => result.answeredAfter)).toFixed(1)} ms`,
      sent: `${median(results.map((result) => result.sent)) / 1024 / 1024} MiB`,
      samples: results.map((result) => Math.round(result.answeredAfter)),
    },
  ];
}

module.exports = { refusal };
