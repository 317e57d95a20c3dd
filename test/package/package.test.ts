import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The package as a consumer has it: packed, installed into an empty project, and used from there.
// dist/ must be built; `npm run test:long` has done so.

const run = promisify(execFile);
const root = join(__dirname, '../..');
const tools = join(root, 'node_modules');
const name = 'ota-upload-gateway';

const MINUTE = 60_000;

let folder: string;
let consumer: string;

async function inConsumer(...command: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, command, { cwd: consumer });
  return stdout.trim();
}

async function pack(): Promise<string> {
  // The build is there; `prepack` would only repeat it under the feet of other tests.
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  await run('npm', ['pack', ...options], { cwd: root });
  const [tarball] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack has left no tarball');
  return join(folder, tarball);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), `${name}-`));
  consumer = join(folder, 'consumer');
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true }));
  await run('npm', ['install', '--no-audit', '--no-fund', await pack()], { cwd: consumer });
}, 15 * MINUTE);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the installed package', () => {
  it('holds the build, its sources and the migrations, and no tests', async () => {
    const entries = await readdir(join(consumer, 'node_modules', name));
    const always = ['LICENSE', 'README.md', 'dist', 'migrations', 'package.json', 'src'];
    expect(entries).toEqual(expect.arrayContaining(always));
    expect([...always, 'CHANGELOG.md']).toEqual(expect.arrayContaining(entries));
  });

  it('needs no development dependency', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const installed = await readdir(join(consumer, 'node_modules'));
    for (const tool of ['jest', 'supertest', 'typescript', 'eslint']) {
      expect(Object.keys(manifest.devDependencies)).toContain(tool);
      expect(installed).not.toContain(tool);
    }
  });

  it('can be required', async () => {
    const script = `console.log(typeof require('${name}').createGateway, typeof require('${name}/testing').startTestGateway)`;
    expect(await inConsumer('--eval', script)).toBe('function function');
  });

  it('can be imported by name from an ES module', async () => {
    const script = `
      import { createGateway } from '${name}';
      import { startTestGateway } from '${name}/testing';
      console.log(typeof createGateway, typeof startTestGateway);`;
    expect(await inConsumer('--input-type=module', '--eval', script)).toBe('function function');
  });

  it('has a command that knows its version', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const { stdout } = await run(join(consumer, 'node_modules/.bin/ota-gateway'), ['--version']);
    expect(stdout.trim()).toBe(manifest.version);
  });

  it.each(['consumer.cts', 'consumer.mts'])(
    'type-checks in %s, with no types but those of Node',
    async (file) => {
      const types = join(consumer, 'types');
      await mkdir(types, { recursive: true });
      await rm(join(types, 'node'), { force: true });
      await symlink(join(tools, '@types/node'), join(types, 'node'));
      await writeFile(
        join(consumer, file),
        `import { createGateway } from '${name}';
         import { startTestGateway } from '${name}/testing';
         export const create: (...options: never[]) => Promise<object> = createGateway;
         export const start: (...options: never[]) => Promise<object> = startTestGateway;
         // @ts-expect-error The types are real: this is no string.
         export const wrong: string = createGateway;
        `,
      );
      const flags = ['--strict', '--noEmit', '--module', 'node20', '--target', 'es2023'];
      const libraries = ['--lib', 'es2023,esnext.disposable', '--typeRoots', types];
      const tsc = join(tools, 'typescript/bin/tsc');
      await inConsumer(tsc, ...flags, ...libraries, '--types', 'node', file);
    },
    2 * MINUTE,
  );

  it(
    'serves a Jest suite of its consumer, which then exits by itself',
    async () => {
      await writeFile(
        join(consumer, 'staging.test.js'),
        `const { startTestGateway } = require('${name}/testing');

         let gateway;
         beforeAll(async () => { gateway = await startTestGateway(); });
         afterAll(() => gateway.close());

         it('purges what was never claimed', async () => {
           const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
           expect(await gateway.postObject(grant, Buffer.from('firmware'))).toMatchObject({ status: 200 });
           gateway.clock.advance({ minutes: 61 });
           expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1 });
         });
        `,
      );
      const jest = join(tools, 'jest/bin/jest.js');
      const { stderr } = await run(process.execPath, [jest, '--rootDir', consumer], {
        cwd: consumer,
        timeout: MINUTE,
        env: { ...process.env, JEST_JSON_OUTPUT_DIR: '' },
      });
      expect(stderr).toMatch(/^Tests: +1 passed, 1 total$/m);
      expect(stderr).not.toContain('did not exit');
    },
    2 * MINUTE,
  );
});
