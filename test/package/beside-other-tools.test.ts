import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractInto, name, run, tools } from './packed.ts';

// Runs the suites of test/package/beside/ with the packed package, in a project that borrows all tools of this
// repository. It needs dist/, which Jest builds before the run.

const SUITES = join(__dirname, 'beside');
const LIMIT = 120_000;
/** Jest of the project, not of this repository. */
const JEST = {
  moduleFileExtensions: ['mjs', 'cjs', 'js', 'json', 'node'],
  testMatch: ['**/jest-*'],
};

let folder: string;
let project: string;

async function createProject(): Promise<void> {
  project = join(folder, 'project');
  await cp(SUITES, project, { recursive: true });
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, jest: JEST }));
  await extractInto(project, folder);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), `${name}-beside-`));
  await createProject();
}, LIMIT);

afterAll(() => rm(folder, { recursive: true, force: true }), LIMIT);

const jestCommand = ['--experimental-vm-modules', join(tools, 'jest/bin/jest.js')];
const vitestCommand = [join(tools, 'vitest/vitest.mjs'), 'run'];
const mocha = [join(tools, 'mocha/bin/mocha.js'), '--timeout', '5000'];

/** Each suite: its command, and the number of its tests. */
const suites: readonly [title: string, command: readonly string[], tests: number][] = [
  ['the fake timers of Jest', [...jestCommand, 'jest-timers'], 3],
  ['the fake timers of Jest in jsdom', [...jestCommand, '--env', 'jsdom', 'jest-timers'], 3],
  ['msw, nock and Jest', [...jestCommand, 'jest-interceptors'], 4],
  ['msw, nock and the fake timers of vitest', [...vitestCommand, 'vitest-'], 7],
  ['vitest in jsdom', [...vitestCommand, '--environment', 'jsdom', 'vitest-timers'], 3],
  ['vitest in happy-dom', [...vitestCommand, '--environment', 'happy-dom', 'vitest-timers'], 3],
  ['the fake timers of Sinon in Mocha', [...mocha, 'mocha-timers.test.mjs'], 6],
  ['msw, nock and Mocha', [...mocha, 'mocha-interceptors.test.mjs'], 4],
];

/** @returns the number of tests that a framework reports as passed */
function passedIn(output: string): number {
  const report =
    /^ *Tests: +(\d+) passed, \d+ total|^ *Tests +(\d+) passed|^ *(\d+) passing|^# pass (\d+)/m;
  const [, ...counts] = report.exec(output) ?? [];
  return Number(counts.join(''));
}

describe('the test kit', () => {
  it.each(suites)(
    'works beside %s',
    async (_title, command, tests) => {
      const { stderr, stdout } = await run(process.execPath, command, {
        cwd: project,
        limit: LIMIT,
      });
      expect(passedIn(stdout + stderr)).toBe(tests);
    },
    LIMIT,
  );

  it(
    'works beside msw, nock and the mock timers of node:test',
    async () => {
      const files = ['node-timers.test.mjs', 'node-interceptors.test.mjs'];
      const command = ['--test', '--test-reporter', 'tap', ...files];
      const { stdout } = await run(process.execPath, command, { cwd: project, limit: LIMIT });
      expect(passedIn(stdout)).toBe(7);
    },
    LIMIT,
  );
});
