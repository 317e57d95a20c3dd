import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const root = join(__dirname, '../..');
/** Tools of this repository that tests use on a consumer's project, which does not install them. */
export const tools = join(root, 'node_modules');
export const name = 'ota-upload-gateway';

/** The output of a command. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a folder. @param limit - milliseconds; then it is killed, and the test fails */
export function run(
  command: string,
  args: readonly string[],
  { cwd, limit = 60_000 }: { readonly cwd: string; readonly limit?: number },
): Promise<Output> {
  return execute(command, args, {
    cwd,
    timeout: limit,
    maxBuffer: 64 * 1024 * 1024,
    // The counts of a Jest that this starts must not be added to ours.
    env: { ...process.env, JEST_JSON_OUTPUT_DIR: '', NODE_ENV: 'test', NO_COLOR: '1' },
  });
}

/** The package as its consumers get it. */
export interface PackedPackage {
  readonly tarball: string;
  /** An empty project in which it is installed. */
  readonly consumer: string;
  /** Copies a project of this repository, and installs the package and the other dependencies there. */
  installProject(source: string): Promise<string>;
  remove(): Promise<void>;
}

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline'];
const INSTALL_LIMIT = 10 * 60_000;

/** Packs the existing build. @returns the path of the tarball */
export async function pack(folder: string): Promise<string> {
  // `prepack` would repeat the build while other tests use it.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [file] = (await readdir(folder)).filter((each) => each.endsWith('.tgz'));
  if (file === undefined) throw new Error('npm pack created no tarball');
  return join(folder, file);
}

/**
 * Extracts the package in a project, beside links to the packages of this repository, which takes seconds; an installation
 * takes minutes.
 * @param folder - for the tarball
 * @param isInstalled - whether the project has a package, or the packages of a scope
 * @returns the folder of the package
 */
export async function extractInto(
  project: string,
  folder: string,
  isInstalled: (entry: string) => boolean = () => true,
): Promise<string> {
  const installed = join(project, 'node_modules');
  const own = join(installed, name);
  await mkdir(own, { recursive: true });
  for (const entry of await readdir(tools)) {
    if (isInstalled(entry)) await symlink(join(tools, entry), join(installed, entry));
  }
  const tarball = await pack(folder);
  const into = ['--directory', own, '--strip-components', '1'];
  await run('tar', ['--extract', '--gzip', '--file', tarball, ...into], { cwd: folder });
  return own;
}

/** Packs the existing build, and installs it once, which compiles better-sqlite3. */
export async function packAndInstall(): Promise<PackedPackage> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const tarball = await pack(folder);

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
      // Installed dependencies are neither downloaded nor compiled again.
      await cp(join(consumer, 'node_modules'), join(project, 'node_modules'), { recursive: true });
      await run('npm', ['install', ...QUIET, tarball], { cwd: project, limit: INSTALL_LIMIT });
      return project;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
