import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root, run } from './packed.ts';

// What npm would publish, without an installation. It needs dist/, which Jest builds before the run.

let files: ReadonlySet<string>;

beforeAll(async () => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await run('npm', pack, { cwd: root });
  const [{ files: entries }]: [{ files: { path: string }[] }] = JSON.parse(stdout);
  files = new Set(entries.map(({ path }) => path));
}, 60_000);

/** @returns the paths of all files below a folder of the repository, from its root */
function filesOf(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(root.length + 1), entry.name));
}

describe('the tarball', () => {
  it.each([
    ...['package.json', 'LICENSE', 'README.md', 'README.zh-CN.md', 'CHANGELOG.md'],
    ...['dist/cli/main.js', 'dist/index.js', 'dist/index.d.ts'],
    ...['dist/testing/index.d.ts', 'dist/multer/index.d.ts'],
    // Hash threads start from this file.
    'dist/object-store/hashing/hash-thread.js',
    ...['docs/operations.md', 'docs/settings.md', 'docs/openapi.json'],
    ...['Dockerfile', 'compose.yaml', 'compose-cluster.yaml', 'nginx.conf', 'Caddyfile'].map(
      (name) => `examples/deploy/${name}`,
    ),
    'examples/deploy/ota-gateway.service',
  ])('contains %s', (path) => {
    expect(files).toContain(path);
  });

  it.each(['migrations', 'docs'])('contains everything of %s', (folder) => {
    // Pictures, and what the types say as well.
    const expected = filesOf(folder).filter((path) => !/^docs\/(?:console|api)\//.test(path));
    expect(expected.filter((path) => !files.has(path))).toEqual([]);
  });

  it('contains no screenshots: they are as large as all of it', () => {
    expect([...files].filter((path) => path.endsWith('.png'))).toEqual([]);
  });

  it('contains no API reference: the types say the same', () => {
    expect([...files].filter((path) => path.startsWith('docs/api/'))).toEqual([]);
  });

  it('contains no sources: they are a third of it, and nothing refers to them', () => {
    expect([...files].filter((path) => path.startsWith('src/'))).toEqual([]);
  });

  it('contains the build of each source file, and of nothing else', () => {
    // The page of the console is built by itself, see console-page.test.ts.
    const isOfPage = (path: string): boolean => /^\w+\/console\/ui\//.test(path);
    const built = [...files].filter((path) => /^dist\/.*\.js$/.test(path) && !isOfPage(path));
    // Files with types alone are built, too.
    const sources = filesOf('src').filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !isOfPage(path),
    );
    const expected = sources.map((path) => path.replace(/^src(.*)\.ts$/, 'dist$1.js'));
    expect(built.sort()).toEqual(expected.sort());
  });

  it.each([
    ['tests', /^test\/|\.test\.ts$/],
    ['tools of the repository', /^(?:bench|scripts|\.ci|coverage)\/|^[^/]*\.config\.js$|^tsconfig/],
    ['data', /^storage\/|\.(?:db|sqlite|env|pem|key)$|credentials\.json$/],
    ['dependencies and locks', /node_modules|package-lock\.json$|\.tgz$/],
    ['hidden files', /(?:^|\/)\./],
  ])('contains no %s', (_, pattern) => {
    // Tests are what some of the examples are about.
    const own = [...files].filter((path) => !/^examples\/.*test/.test(path));
    expect(own.filter((path) => pattern.test(path))).toEqual([]);
  });

  it.each(['README.md', 'README.zh-CN.md', 'examples/deploy/README.md'])(
    'contains what %s links to',
    (page) => {
      const text = readFileSync(join(root, page), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)];
      const targets = links.map(([, link = '']) => posix.join(dirname(page), link));
      const isThere = (target: string): boolean =>
        files.has(target) || [...files].some((path) => path.startsWith(`${target}/`));
      expect(targets.filter((target) => !isThere(target))).toEqual([]);
    },
  );
});

describe('the Dockerfile', () => {
  it('copies files that exist and that .dockerignore lets through', () => {
    const lines = readFileSync(join(root, 'examples/deploy/Dockerfile'), 'utf8').split('\n');
    const copies = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    const sources = copies.flatMap((line) => line.split(' ').slice(1, -1));
    const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(sources).toContain('src');
    for (const source of sources) {
      expect([source, existsSync(join(root, source))]).toEqual([source, true]);
      expect(allowed).toContain(source);
    }
  });

  it('copies every script that the build runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const run = [...scripts.build.matchAll(/scripts\/[\w-]+\.js/g)].map(([path]) => path);
    const dockerfile = readFileSync(join(root, 'examples/deploy/Dockerfile'), 'utf8');
    expect(run.length).toBeGreaterThan(0);
    expect(run.filter((path) => !dockerfile.includes(path))).toEqual([]);
  });
});
