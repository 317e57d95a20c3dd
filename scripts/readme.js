'use strict';
// Writes the generated parts of the documentation; `--check` only says whether they are current.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const { describeOptions } = require(join(root, 'dist', 'config.js'));
const { variableName } = require(join(root, 'dist', 'cli', 'environment.js'));

function settingsTable() {
  const rows = describeOptions().map(({ name, description, default: preset }) => {
    const value = preset === undefined ? 'none' : `\`${preset}\``;
    return `| \`${variableName(name)}\` | ${value} | ${description} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

const path = join(root, 'README.md');
const before = readFileSync(path, 'utf8');
const after = before.replace(
  /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/,
  (_all, start, end) => `${start}\n${settingsTable()}\n\n${end}`,
);
if (!process.argv.includes('--check')) writeFileSync(path, after);
else if (before !== after) {
  console.error('README.md: the table of settings is not current; run `npm run docs`');
  process.exitCode = 1;
}
