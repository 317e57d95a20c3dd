import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const root = join(__dirname, '../..');
/** Tools of this repository that a consumer is tried with, but does not install. */
export const tools = join(root, 'node_modules');
export const name = 'ota-upload-gateway';

/** What a command has written. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a folder. @param limit - milliseconds; after that it is killed and the test fails */
export function run(
  command: string,
  args: readonly string[],
  { cwd, limit = 60_000 }: { readonly cwd: string; readonly limit?: number },
): Promise<Output> {
  return execute(command, args, {
    cwd,
    timeout: limit,
    maxBuffer: 64 * 1024 * 1024,
    // A Jest that is started here must not count as one of ours.
    env: { ...process.env, JEST_JSON_OUTPUT_DIR: '', NODE_ENV: 'test', NO_COLOR: '1' },
  });
}

/** The package as its consumers get it. */
export interface PackedPackage {
  readonly tarball: string;
  /** An empty project that has installed it. */
  readonly consumer: string;
  /** Copies a project of this repository and installs the package there, and whatever else the project needs. */
  installProject(source: string): Promise<string>;
  remove(): Promise<void>;
}

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline'];
const INSTALL_LIMIT = 10 * 60_000;

/** Packs the build, which must be there, and installs it once: that compiles better-sqlite3. */
export async function packAndInstall(): Promise<PackedPackage> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  // `prepack` would only repeat the build under the feet of other tests.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [file] = (await readdir(folder)).filter((each) => each.endsWith('.tgz'));
  if (file === undefined) throw new Error('npm pack has left no tarball');
  const tarball = join(folder, file);

  const consumer = join(folder, 'consumer');
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true }));
  await run('npm', ['install', ...QUIET, tarball], { cwd: consumer, limit: INSTALL_LIMIT });
  return {
    tarball,
    consumer,
    installProject: async (source) => {
      const project = await mkdtemp(join(folder, 'project-'));
      const isOwn = (path: string): boolean => !path.includes('node_modules');
      await cp(source, project, { recursive: true, filter: isOwn });
      // What is there already is neither fetched nor compiled again.
      await cp(join(consumer, 'node_modules'), join(project, 'node_modules'), { recursive: true });
      await run('npm', ['install', ...QUIET, tarball], { cwd: project, limit: INSTALL_LIMIT });
      return project;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
