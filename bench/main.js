'use strict';
// npm run bench -- [--quick] [--rounds N] [--json FILE] [ROW...]
const { writeFileSync } = require('node:fs');
const { cpus } = require('node:os');
const { parseArgs } = require('node:util');
const { runRow } = require('./cleanup.js');
const { cluster } = require('./rows/cluster.js');
const { downloads } = require('./rows/downloads.js');
const { entry } = require('./rows/entry.js');
const { floor } = require('./rows/floor.js');
const { growth } = require('./rows/growth.js');
const { large } = require('./rows/large.js');
const { memory } = require('./rows/memory.js');
const { purge } = require('./rows/purge.js');
const { refusal } = require('./rows/refusal.js');
const { signing } = require('./rows/signing.js');
const { size } = require('./rows/size.js');
const { small } = require('./rows/small.js');
const { start } = require('./rows/start.js');
const { strangers } = require('./rows/strangers.js');
const { watched } = require('./rows/watched.js');
const { work } = require('./rows/work.js');

/** `work` is first, before rows that delete many files. */
const ROWS = {
  ...{ work, large, memory, small, signing, watched, refusal, strangers, downloads },
  ...{ growth, start, entry, size, floor, purge },
};
/** Rows that need more than this program, so they are run by name alone. */
const NAMED_ROWS = { cluster };

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const { quick } = values;
  const rounds = Number(values.rounds ?? (quick ? 3 : 5));
  const wanted = positionals.length > 0 ? positionals : Object.keys(ROWS);
  const figures = [];
  for (const name of wanted) {
    const rows = await runRow({ ...ROWS, ...NAMED_ROWS }[name], { rounds, quick });
    figures.push(...rows);
    console.table(rows.map((figure) => ({ ...figure, samples: figure.samples?.join(' ') })));
  }
  const machine = { cpu: cpus()[0].model, cores: cpus().length, node: process.version, rounds };
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
