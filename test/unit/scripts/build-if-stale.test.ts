import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { folderForEachTest } from '../../support/suite.ts';

interface BuildScript {
  readonly isStale: (root: string) => boolean;
}

const { isStale } = jest.requireActual<BuildScript>('../../../scripts/build-if-stale.js');

/** Seconds of a clock that the tests set. */
const [EARLY, BUILT, LATE] = [1000, 2000, 3000];
const PAGE = 'dist/console/ui/index.html';
const FILES = [
  ...['src/gateway.ts', 'src/console/ui/app.tsx', 'src/console/ui/styles/base.css'],
  ...['migrations/1.sql', 'package-lock.json'],
  ...['scripts/build-console.js', 'scripts/prune-types.js'],
  ...['tsconfig.json', 'tsconfig.build.json'],
];

describe('a build', () => {
  const folder = folderForEachTest();

  /** Writes a file; the time of its folders is that of the file, too. */
  async function write(path: string, seconds: number): Promise<void> {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
    let changed = file;
    while (changed !== folder.path) {
      await utimes(changed, seconds, seconds);
      changed = dirname(changed);
    }
  }

  beforeEach(async () => {
    for (const file of FILES) await write(file, EARLY);
    await write('dist/cli/main.js', BUILT);
    await write(PAGE, BUILT);
  });

  it('is used again while nothing that it is made of has changed', () => {
    expect(isStale(folder.path)).toBe(false);
  });

  it.each(FILES)('is repeated when %s has changed', async (file) => {
    await write(file, LATE);
    expect(isStale(folder.path)).toBe(true);
  });

  it('is repeated when the page of the console is older than the program, as after a failed build', async () => {
    await write(PAGE, EARLY - 1);
    expect(isStale(folder.path)).toBe(true);
  });
});
