// Builds dist/ if it is missing or older than its sources.
const { execSync } = require('node:child_process');
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json'];

function changedAt(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.mtimeMs ?? 0;
}

// The time of a folder changes when a file is removed from it.
function newest(path) {
  const status = statSync(path);
  const inside = status.isDirectory()
    ? readdirSync(path).map((name) => newest(join(path, name)))
    : [];
  return Math.max(status.mtimeMs, ...inside);
}

/** Jest calls this before each run, because hash threads and commands run from dist/. */
function buildIfStale() {
  const builtAt = changedAt('dist/cli/main.js');
  if (SOURCES.every((source) => newest(source) <= builtAt)) return;
  // On standard error, because the output of a server is its log.
  process.stderr.write('building dist/, which takes about ten seconds\n');
  execSync('npm run --silent build', { stdio: 'inherit' });
}

module.exports = buildIfStale;
if (require.main === module) buildIfStale();
