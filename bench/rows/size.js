'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync, readFileSync, statSync } = require('node:fs');
const { dirname, join, relative, sep } = require('node:path');
const { pathsIn } = require('../figures.js');

const root = join(__dirname, '..', '..');
const MIB = 1024 * 1024;
/** What an upload gateway in Node needs in any case: HTTP, a ledger, forms, and a schedule. */
const NEEDED = ['express', 'better-sqlite3', 'multer', 'busboy', 'node-cron'];
/** What a compilation leaves in better-sqlite3. A prebuilt binary comes as one file, `better_sqlite3.node`. */
const COMPILED = /[/\\]better-sqlite3[/\\]build[/\\](?!Release[/\\]better_sqlite3\.node$)/;

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** @returns the folder of a package as Node resolves it: `node_modules` of the folder first, then of those above it */
function resolvePackage(name, from) {
  const found = join(from, 'node_modules', name);
  if (existsSync(join(found, 'package.json'))) return found;
  if (from === dirname(from)) throw new Error(`${name} is not installed: npm ci`);
  return resolvePackage(name, dirname(from));
}

/** @returns the folders of packages, and of all that they depend on */
function closureOf(names) {
  const folders = new Set();
  const add = (name, from) => {
    const folder = resolvePackage(name, from);
    if (folders.has(folder)) return;
    folders.add(folder);
    for (const each of Object.keys(readManifest(folder).dependencies ?? {})) add(each, folder);
  };
  for (const name of names) add(name, root);
  return [...folders];
}

/** @returns the files of a package, without those of packages inside it */
function filesOf(folder) {
  return pathsIn(folder).filter((path) => {
    return !relative(folder, path).split(sep).includes('node_modules');
  });
}

/** @returns the number of packages, the bytes of their files, and apart from these what a compilation left */
function weigh(folders) {
  const bytes = { installed: 0, compiled: 0 };
  for (const path of folders.flatMap(filesOf)) {
    bytes[COMPILED.test(path) ? 'compiled' : 'installed'] += statSync(path).size;
  }
  return { packages: folders.length, ...bytes };
}

/** Packs what is built: `prepack` would build it again. */
function pack() {
  const arguments_ = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const stdout = execFileSync('npm', arguments_, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(stdout)[0];
}

function mib(bytes) {
  return `${(bytes / MIB).toFixed(2)} MiB`;
}

/** What an installation takes, by the packages that are installed here. Optional packages are not part of it. */
async function size() {
  const packed = pack();
  const all = weigh(closureOf(Object.keys(readManifest(root).dependencies)));
  const needed = weigh(closureOf(NEEDED));
  const figure = (what, { packages, installed, compiled }) => ({
    row: 'installed for production',
    server: what,
    packages,
    installed: mib(installed),
    'left by a compilation': mib(compiled),
  });
  return [
    {
      row: 'npm pack',
      server: `${packed.entryCount} files`,
      packed: mib(packed.size),
      installed: mib(packed.unpackedSize),
    },
    figure('all dependencies', all),
    figure(NEEDED.join(', '), needed),
    figure('the package and all dependencies', {
      ...all,
      packages: all.packages + 1,
      installed: packed.unpackedSize + all.installed,
    }),
  ];
}

module.exports = { size };
