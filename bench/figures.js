'use strict';
const {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} = require('node:fs');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');

function median(values) {
  return quantile(values, 0.5);
}

/** @param share - 0.99 for the value that one percent of the values exceed */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)];
}

/**
 * Fills the page cache and frees it again. A virtual machine returns memory that was free for some seconds to its host,
 * and getting it back costs time, which must not depend on which server is measured next.
 */
function warmMemory(folder, mib) {
  const path = join(folder, 'warm');
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(1024 * 1024, 1);
  for (let n = 0; n < mib; n += 1) writeSync(file, chunk);
  closeSync(file);
  unlinkSync(path);
}

/** Waits until a server has used no CPU time for a while; at most ten seconds. */
async function settle(server) {
  let before = -1;
  for (let turn = 0; turn < 20 && server.cpu() !== before; turn += 1) {
    before = server.cpu();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Waits until a condition is true. @returns the time of this check, by performance.now() */
async function until(isSo, { every, seconds }) {
  const deadline = performance.now() + seconds * 1000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not so after ${seconds} s: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  return performance.now();
}

/** @returns the paths of all files in a folder and its subfolders */
function pathsIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name));
}

/** @returns the number of files in a folder and its subfolders */
function filesIn(folder) {
  return pathsIn(folder).length;
}

/** @throws unless a folder has this number of files, and all have these bytes */
function checkFiles(folder, count, bytes) {
  const paths = pathsIn(folder);
  if (paths.length !== count) throw new Error(`${paths.length} files in ${folder}, not ${count}`);
  const wrong = paths.find((path) => !readFileSync(path).equals(bytes));
  if (wrong !== undefined) throw new Error(`${wrong} has other bytes than were sent`);
}

module.exports = { checkFiles, filesIn, pathsIn, median, quantile, settle, until, warmMemory };
