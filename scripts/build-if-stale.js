// Builds dist/ when it is missing or older than what it is made of.
const { execSync } = require('node:child_process');
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json'];

function changedAt(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.mtimeMs ?? 0;
}

// A folder's own time tells of files that were removed from it.
function newest(path) {
  const status = statSync(path);
  const inside = status.isDirectory()
    ? readdirSync(path).map((name) => newest(join(path, name)))
    : [];
  return Math.max(status.mtimeMs, ...inside);
}

/** Jest calls it before each run, because the hash threads of its tests are run from dist/. */
function buildIfStale() {
  const builtAt = changedAt('dist/cli/main.js');
  if (SOURCES.every((source) => newest(source) <= builtAt)) return;
  execSync('npm run --silent build', { stdio: 'inherit' });
}

module.exports = buildIfStale;
if (require.main === module) buildIfStale();
