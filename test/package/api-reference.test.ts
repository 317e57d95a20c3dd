import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeOptions } from '../../src/config/describe-options.ts';
import { root, run } from './packed.ts';

const reference = join(root, 'docs/api');

let fresh: string;

// TypeDoc fails when a public symbol has no description, or is not exported.
beforeAll(async () => {
  fresh = await mkdtemp(join(tmpdir(), 'ota-gateway-api-'));
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
  await run(process.execPath, [typedoc, '--out', fresh], { cwd: root, limit: 120_000 });
}, 120_000);

afterAll(() => rm(fresh, { recursive: true, force: true }));

describe('the API reference', () => {
  it('has a page for each entry point', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'));
    const pages = entries.map((entry) => (entry === '.' ? 'index.md' : `${entry.slice(2)}.md`));
    expect((await readdir(reference)).sort()).toEqual(['README.md', ...pages].sort());
  });

  // If this fails, review the difference, which is the change for consumers. Then run `npm run docs:api`.
  it.each(['README.md', 'index.md', 'testing.md', 'multer.md'])(
    'is up to date in %s',
    async (page) => {
      const [kept, generated] = await Promise.all(
        [reference, fresh].map((folder) => readFile(join(folder, page), 'utf8')),
      );
      expect(kept).toBe(generated);
    },
  );

  it('describes every setting as the command line does', async () => {
    const index = await readFile(join(reference, 'index.md'), 'utf8');
    const options = index.slice(index.indexOf('### GatewayOptions'));
    for (const { description, name } of describeOptions()) {
      expect(options).toContain(`##### ${name}?`);
      expect(options.toLowerCase()).toContain(`${description.toLowerCase()}.`);
    }
  });
});

// The default tests compare the pages with what the functions of the script return. This runs the script itself.
it('the other pages are what `npm run docs` writes', async () => {
  const names = (await readdir(join(root, 'docs'))).filter((name) => /\.(md|json)$/.test(name));
  const written = [
    ...names.map((name) => join(root, 'docs', name)),
    join(root, 'src/config/options.ts'),
  ];
  const readAll = (): Promise<string[]> =>
    Promise.all(written.map((path) => readFile(path, 'utf8')));
  const before = await readAll();
  await run(process.execPath, [join(root, 'scripts/write-docs.js')], { cwd: root });
  expect(await readAll()).toEqual(before);
});
