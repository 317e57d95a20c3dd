'use strict';
const { execFile } = require('node:child_process');
const { join } = require('node:path');
const { promisify } = require('node:util');
const { freshFields } = require('../forms.js');
const { startGateway, temporaryFolder } = require('../servers.js');

const CLIENT = join(__dirname, '..', 'clients', 'large-form.js');
const UPLOADS = 8;

/** Eight large forms at once: how much more memory the gateway takes than when idle. */
async function memory({ quick }) {
  const mib = quick ? 100 : 1000;
  const folder = temporaryFolder();
  const gateway = await startGateway(folder.path);
  const idle = gateway.peak();
  await Promise.all(
    Array.from({ length: UPLOADS }, async () => {
      const fields = JSON.stringify(await freshFields(gateway.url));
      const { stdout } = await promisify(execFile)(process.execPath, [
        CLIENT,
        gateway.url,
        String(mib),
        fields,
      ]);
      const { status } = JSON.parse(stdout);
      if (status !== '200') throw new Error(`status ${status}`);
    }),
  );
  const peak = gateway.peak();
  return [
    {
      row: `${UPLOADS} forms of ${mib} MiB at once`,
      server: 'gateway',
      idle: `${Math.round(idle)} MiB`,
      peak: `${Math.round(peak)} MiB`,
      beyond: `${Math.round(peak - idle)} MiB`,
    },
  ];
}

module.exports = { memory };
