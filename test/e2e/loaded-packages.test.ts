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

interface Loaded {
  /** Their names. */
  readonly packages: string[];
  /** The number of all modules. */
  readonly modules: number;
}

/** @returns what a module of the build loads */
async function loadedBy(path: string, ...args: string[]): Promise<Loaded> {
  return loadedIn(`require(${JSON.stringify(join(DIST, path))});`, ...args);
}

/** @returns what a script has loaded when its process ends */
async function loadedIn(code: string, ...args: string[]): Promise<Loaded> {
  const script = `
    process.on('exit', () => console.error(JSON.stringify(Object.keys(require.cache))));
    ${code}`;
  const { stderr } = await execute(['--eval', script, '--', 'cli', ...args]);
  const modules: string[] = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
  const names = modules.map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  const packages = new Set(names.filter((each) => each !== undefined));
  return { packages: [...packages].sort(), modules: modules.length };
}

// Loading is what a test suite pays before its first test. Express alone would add a third to it.
it.each([
  ['testing/index.js', [], 15],
  ['testing/start-test-gateway.js', ['better-sqlite3', 'zod'], 392],
  ['index.js', ['better-sqlite3', 'zod'], 380],
  ['multer/index.js', [], 10],
])('%s loads only %j, and fewer than %d modules', async (path, packages, budget) => {
  const loaded = await loadedBy(path);
  expect(loaded.packages).toEqual(packages);
  expect(loaded.modules).toBeLessThan(budget);
});

describe('the first test gateway', () => {
  /** @returns a script that starts a test gateway, uses it, and closes it */
  const start = (options: string, use = ''): string => `
    const { startTestGateway } = require(${JSON.stringify(join(DIST, 'testing'))});
    startTestGateway(${options}).then(async (gateway) => {
      ${use}
      await gateway.close();
    });`;
  const ITS_OWN = ['better-sqlite3', 'bindings', 'file-uri-to-path', 'zod'];

  it('loads only the packages of its ledger and of its settings, and fewer than 410 modules', async () => {
    const loaded = await loadedIn(start(''));
    expect(loaded.packages).toEqual(ITS_OWN);
    expect(loaded.modules).toBeLessThan(410);
  });

  it.each([
    ['a setting has a cron expression', `{ purgeCron: '*/5 * * * *' }`, ''],
    ['it runs jobs', '', 'gateway.startJobs();'],
  ])('loads node-cron when %s', async (_when, options, use) => {
    const { packages } = await loadedIn(start(options, use));
    expect(packages).toEqual([...ITS_OWN, 'node-cron'].sort());
  });
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
