'use strict';

/*
 * Runs the built program under other releases of Node, `node scripts/try-nodes.js 22 24`: serve, upload, download, fsck,
 * backup, stop. Each Node comes from the npm registry; better-sqlite3 is compiled for it against the SQLite that `npm ci`
 * has compiled, and with the headers of the first release of its major version, as the binaries are that it publishes. With
 * those of 24.19 to 24.21 it ends the process at some garbage collections (nodejs/node#65446).
 */

const { execFile, spawn } = require('node:child_process');
const { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } = require('node:fs');
const { mkdtempSync, symlinkSync, writeFileSync } = require('node:fs');
const { once } = require('node:events');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: wait } = require('node:timers/promises');
const { promisify } = require('node:util');

const root = join(__dirname, '..');
const execute = promisify(execFile);
const START_LIMIT_MS = 30_000;

/** Downloads releases of Node. @returns for each major version, the folders of the newest and of the first */
async function installNodes(folder, majors) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const system = `${process.platform}-${process.arch}`;
  const specs = majors.flatMap((major) => [
    `newest${major}@npm:node-${system}@${major}`,
    `first${major}@npm:node-${system}@${major}.0.0`,
  ]);
  await execute('npm', ['install', '--no-audit', '--no-fund', ...specs], { cwd: folder });
  const folderOf = (name) => join(folder, 'node_modules', name);
  return majors.map((major) => ({
    major,
    newest: folderOf(`newest${major}`),
    first: folderOf(`first${major}`),
  }));
}

/** Copies what the program needs, with a better-sqlite3 for the headers of a Node. @returns the path of the program */
async function install(folder, headers) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  for (const name of ['dist', 'migrations', 'package.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const modules = join(root, 'node_modules');
  for (const name of readdirSync(modules)) {
    if (name.startsWith('.') || name === 'better-sqlite3') continue;
    symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  }
  const from = join(modules, 'better-sqlite3');
  const to = join(folder, 'node_modules/better-sqlite3');
  for (const name of ['package.json', 'lib']) {
    cpSync(join(from, name), join(to, name), { recursive: true });
  }
  mkdirSync(join(to, 'build/Release'), { recursive: true });
  const release = join(from, 'build/Release');
  // Of binding.gyp; the program is tried here, not measured.
  await execute('c++', [
    ...['-shared', '-fPIC', '-std=c++20', '-O0', '-fno-rtti', '-fno-exceptions'],
    ...['-DNODE_GYP_MODULE_NAME=better_sqlite3', '-DBUILDING_NODE_EXTENSION'],
    ...['-I', join(headers, 'include/node'), '-I', join(release, 'obj/gen/sqlite3')],
    ...[join(from, 'src/better_sqlite3.cpp'), join(release, 'sqlite3.a')],
    ...['-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL'],
    ...['-o', join(to, 'build/Release/better_sqlite3.node')],
  ]);
  return join(folder, 'dist/cli/main.js');
}

/** Runs the whole loop. @throws when something is not as it must be */
async function tryLoop(folder, node, main) {
  const program = join(node, 'bin/node');
  const data = join(folder, 'data');
  const ready = join(folder, 'ready.json');
  const run = async (...args) => (await execute(program, [main, ...args])).stdout;
  const serve = ['serve', '--port', '0', '--data-dir', data, '--ready-file', ready];
  const server = spawn(program, [main, ...serve], { stdio: 'ignore' });
  try {
    for (let waited = 0; !existsSync(ready); waited += 50) {
      if (waited > START_LIMIT_MS || server.exitCode !== null) throw new Error('it did not start');
      await wait(50);
    }
    const { url } = JSON.parse(readFileSync(ready, 'utf8'));
    const file = join(root, 'package-lock.json');
    const where = ['--endpoint', url, '--data-dir', data];
    const uploaded = await run('upload', file, '--name', 'demo', '--version', '1.0.0', ...where);
    const download = await fetch(/^Download +(\S+)$/m.exec(uploaded)[1]);
    if ((await download.text()) !== readFileSync(file, 'utf8')) throw new Error('other bytes');
    await run('backup', join(folder, 'backup'), '--data-dir', data);
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
  }
  if (server.exitCode !== 0) throw new Error(`serve ended with ${server.exitCode}`);
  await run('fsck', '--data-dir', data);
  await run('fsck', '--data-dir', join(folder, 'backup'));
  return run('--version');
}

async function main(majors) {
  const folder = mkdtempSync(join(tmpdir(), 'ota-gateway-nodes-'));
  try {
    const nodes = await installNodes(folder, majors);
    const tries = nodes.map(async ({ first, major, newest }) => {
      const place = join(folder, `try${major}`);
      const version = await tryLoop(place, newest, await install(place, first));
      const { stdout } = await execute(join(newest, 'bin/node'), ['--version']);
      console.log(`ota-gateway ${version.trim()} passes under Node ${stdout.trim()}`);
    });
    await Promise.all(tries);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
