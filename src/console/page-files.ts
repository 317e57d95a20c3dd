import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hasErrorCode } from '../lib/errno.ts';
import { OperatorError } from '../operator/errors.ts';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly plain: Buffer;
  /** Absent when compression would not make it smaller. */
  readonly gzip: Buffer | undefined;
}

/** The built page. */
export interface PageFiles {
  readonly index: PageFile;
  /** By their names, which change with their content. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

/** Where the page is built, also when the gateway itself runs from the sources. */
export const PAGE_FOLDER = join(__dirname, '..', '..', 'dist', 'console', 'ui');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * Makes a function that reads the files of the page into memory the first time.
 * @throws OperatorError when they are missing
 */
export function createPageReader(folder: string): () => PageFiles {
  let files: PageFiles | undefined;
  return () => (files ??= readPage(folder));
}

function readPage(folder: string): PageFiles {
  try {
    const names = readdirSync(join(folder, 'assets'));
    return {
      index: readPageFile(join(folder, 'index.html')),
      assets: new Map(names.map((name) => [name, readPageFile(join(folder, 'assets', name))])),
    };
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new OperatorError(
      'unavailable',
      'PageNotBuilt',
      'the files of the page are missing: dist/console/ui of the package',
      'install the package again, or run npm run build in its repository; everything else works without the page',
    );
  }
}

function readPageFile(path: string): PageFile {
  const plain = readFileSync(path);
  const gzip = gzipSync(plain, { level: 9 });
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    plain,
    gzip: gzip.length < plain.length ? gzip : undefined,
  };
}
