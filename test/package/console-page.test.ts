import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pack, root } from './packed.ts';

// The page of the console as it is published. It needs dist/, which Jest builds before the run.

const KiB = 1024;
const PAGE = join(root, 'dist/console/ui');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** The paths of all files below a folder, relative to it. */
function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile());
}

/** Packages that a source of the page imports, such as `preact` of `preact/hooks`. */
function packagesOfPage(): string[] {
  const sources = filesBelow(join(root, 'src/console/ui')).filter((name) => /\.tsx?$/.test(name));
  const found = sources.flatMap((name) => {
    const text = readFileSync(join(root, 'src/console/ui', name), 'utf8');
    return [...text.matchAll(/from '((?:@[^/']+\/)?[^./'][^/']*)/g)].map(([, id = '']) => id);
  });
  return [...new Set(found)].sort();
}

describe('the page of the console', () => {
  // Each name has the limit, and in parentheses the value that was measured when the test was written.

  it('has at most 60 KiB of scripts and styles in gzip (41)', () => {
    const loaded = filesBelow(PAGE).filter((name) => /\.(?:html|js|css)$/.test(name));
    expect(loaded.length).toBeGreaterThanOrEqual(3);
    const sizes = loaded.map(
      (name) => gzipSync(readFileSync(join(PAGE, name)), { level: 9 }).length,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * KiB);
  });

  it('loads nothing but its own files', () => {
    const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThanOrEqual(3);
    for (const link of links) {
      expect(link).toMatch(/^\.\/assets\/[\w-]+\.(?:js|css|svg)$/);
      expect(existsSync(join(PAGE, link))).toBe(true);
    }
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/i);
  });

  it('comes with the license of each package that is built into it', () => {
    const licenses = readFileSync(join(PAGE, 'LICENSES.md'), 'utf8');
    const packages = packagesOfPage();
    expect(packages).toEqual(
      expect.arrayContaining(['@noble/hashes', '@preact/signals', 'preact']),
    );
    for (const name of packages) expect(licenses).toMatch(new RegExp(`^## ${name} - \\d`, 'm'));
  });

  it('needs no package at run time', () => {
    const { dependencies, devDependencies } = manifest;
    const all = [...packagesOfPage(), 'vite', 'axe-core', 'playwright-core'];
    expect(all.filter((name) => !(name in devDependencies))).toEqual([]);
    expect(all.filter((name) => name in dependencies)).toEqual([]);
  });
});

describe('the tarball', () => {
  let folder: string;
  let entries: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'console-page-'));
    entries = readTar(gunzipSync(readFileSync(await pack(folder))));
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the files of the page, byte for byte, and nothing of how they are made', () => {
    const names = filesBelow(PAGE);
    expect(names).toEqual(expect.arrayContaining(['index.html', 'LICENSES.md']));
    const folder = 'package/dist/console/ui/';
    const packed = [...entries.keys()].filter((path) => path.startsWith(folder));
    expect(packed.sort()).toEqual(names.map((name) => folder + name).sort());
    for (const name of names) {
      const isSame = entries.get(folder + name)?.equals(readFileSync(join(PAGE, name)));
      expect([name, isSame]).toEqual([name, true]);
    }
  });

  it('has at most 150 KiB of the console, compressed (53)', () => {
    const own = [...entries].filter(([path]) => path.startsWith('package/dist/console/'));
    expect(own.length).toBeGreaterThan(10);
    const { length } = gzipSync(Buffer.concat(own.map(([, bytes]) => bytes)), { level: 9 });
    expect(length).toBeLessThan(150 * KiB);
  });
});

/** The files of a tar archive (POSIX.1, ustar). npm writes a pax header only for names that are too long for it. */
function readTar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let offset = 0;
  while (offset + 512 <= tar.length) {
    const head = tar.subarray(offset, offset + 512);
    const field = (from: number, length: number): string =>
      (head.toString('utf8', from, from + length).split('\0')[0] ?? '').trim();
    const name = [field(345, 155), field(0, 100)].filter(Boolean).join('/');
    const size = Number.parseInt(field(124, 12) || '0', 8);
    offset += 512;
    if (name !== '') files.set(name, tar.subarray(offset, offset + size));
    offset += Math.ceil(size / 512) * 512;
  }
  return files;
}
