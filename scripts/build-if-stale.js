// Builds dist/ if it is missing or older than its sources.
const { execSync } = require('node:child_process');
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

// The lock names the packages that are built into the page.
const SOURCES = [
  ...['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json'],
  ...['scripts/build-console.js', 'scripts/prune-types.js', 'package-lock.json'],
];
// The build writes it last, so that a build that has failed is repeated.
const LAST = 'dist/console/ui/index.html';

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

/** @param root - the repository */
function isStale(root) {
  const builtAt = changedAt(join(root, LAST));
  return SOURCES.some((source) => newest(join(root, source)) > builtAt);
}

/** Jest calls this before each run, because hash threads, commands and the page of the console run from dist/. */
function buildIfStale() {
  if (!isStale('.')) return;
  // On standard error, because the output of a server is its log.
  process.stderr.write(
    'building dist/ with the page of the console, which takes about twenty seconds\n',
  );
  execSync('npm run --silent build', { stdio: 'inherit' });
}

module.exports = Object.assign(buildIfStale, { isStale });
if (require.main === module) buildIfStale();
