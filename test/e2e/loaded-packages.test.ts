import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VERBS, nameOf } from '../../src/cli/verbs.ts';

const run = promisify(execFile);
const DIST = join(__dirname, '../../dist');

/** Runs Node; a program that fails has loaded its modules, too. */
async function execute(args: readonly string[]): Promise<{ stderr: string }> {
  try {
    return await run(process.execPath, args);
  } catch (error) {
    return error as { stderr: string };
  }
}

/** @returns the packages that a module of the build loads, by their names, and the number of all modules */
async function loadedBy(
  path: string,
  ...args: string[]
): Promise<{ packages: string[]; modules: number }> {
  const script = `
    process.on('exit', () => console.error(JSON.stringify(Object.keys(require.cache))));
    require(${JSON.stringify(join(DIST, path))});`;
  const { stderr } = await execute(['--eval', script, '--', 'cli', ...args]);
  const modules: string[] = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
  const names = modules.map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  const packages = new Set(names.filter((each) => each !== undefined));
  return { packages: [...packages].sort(), modules: modules.length };
}

// Loading is what a test suite pays before its first test. Express alone would add a third to it.
it.each([
  ['testing/index.js', [], 15],
  ['testing/start-test-gateway.js', ['better-sqlite3', 'jsonc-parser', 'node-cron', 'zod'], 400],
  ['index.js', ['better-sqlite3', 'jsonc-parser', 'node-cron', 'zod'], 400],
  ['multer/index.js', [], 10],
])('%s loads only %j, and fewer than %d modules', async (path, packages, budget) => {
  const loaded = await loadedBy(path);
  expect(loaded.packages).toEqual(packages);
  expect(loaded.modules).toBeLessThan(budget);
});

const HELPS = [
  ...VERBS.map((verb) => [nameOf(verb), '--help']),
  ...['ls', 'add', 'rotate', 'disable', 'enable', 'rm'].map((name) => ['accounts', name, '--help']),
];

it.each([
  ...HELPS,
  ...[['--help'], ['--version'], ['nonsense', '--help'], ['help', 'serve'], ['health']],
  ...[
    ['completion', 'bash'],
    ['upload', '--nme', 'x'],
    ['serve', '--prt', '1'],
  ],
])('the command line loads only commander for %s %s', async (...args) => {
  const { modules, packages } = await loadedBy('cli/main.js', ...args);
  expect(packages).toEqual(['commander']);
  expect(modules).toBeLessThan(30);
});
