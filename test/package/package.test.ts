import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/built-gateway.ts';
import { name, packAndInstall, root, run, tools } from './packed.ts';
import type { PackedPackage } from './packed.ts';

// Tests the package as a consumer uses it: packed, and installed into an empty project.
// It needs dist/, which Jest builds before the run.

const MINUTE = 60_000;
const MiB = 1024 * 1024;

// The first load of a fresh installation is slow on a busy machine.
jest.setTimeout(MINUTE);

let packed: PackedPackage;
let consumer: string;

async function inConsumer(...command: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, command, { cwd: consumer });
  return stdout.trim();
}

beforeAll(async () => {
  packed = await packAndInstall();
  ({ consumer } = packed);
}, 15 * MINUTE);

// There are tens of thousands of files to remove.
afterAll(() => packed.remove(), MINUTE);

/** @returns the bytes of all files below a folder */
function sizeOf(path: string): number {
  const status = lstatSync(path);
  if (!status.isDirectory()) return status.size;
  return readdirSync(path).reduce((sum, entry) => sum + sizeOf(join(path, entry)), 0);
}

describe('the installed package', () => {
  it('contains the build, the migrations, the documentation and the examples, but no tests', async () => {
    const entries = await readdir(join(consumer, 'node_modules', name));
    const always = [
      ...['LICENSE', 'README.md', 'README.zh-CN.md', 'dist', 'docs', 'examples', 'migrations'],
      'package.json',
    ];
    expect(entries).toEqual(expect.arrayContaining(always));
    expect([...always, 'CHANGELOG.md', 'CONTRIBUTING.md']).toEqual(expect.arrayContaining(entries));
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
    const script = `console.log(
      typeof require('${name}').createGateway,
      typeof require('${name}/testing').startTestGateway,
      typeof require('${name}/multer').gatewayStorage,
      require('${name}/package.json').name)`;
    expect(await inConsumer('--eval', script)).toBe(`function function function ${name}`);
  });

  it('can be imported by name from an ES module', async () => {
    const script = `
      import { createGateway } from '${name}';
      import { startTestGateway } from '${name}/testing';
      import { gatewayStorage } from '${name}/multer';
      console.log(typeof createGateway, typeof startTestGateway, typeof gatewayStorage);`;
    expect(await inConsumer('--input-type=module', '--eval', script)).toBe(
      'function function function',
    );
  });

  it('has a command that prints its version', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const command = join(consumer, 'node_modules/.bin/ota-gateway');
    const { stdout } = await run(command, ['--version'], { cwd: consumer });
    expect(stdout.trim()).toBe(manifest.version);
  });

  it(
    'serves by npx under the name of the package',
    async () => {
      const readyFile = join(consumer, 'ready.json');
      const serve = ['serve', '--port', '0', '--data-dir', 'data', '--ready-file', readyFile];
      const served = run('npx', ['--no', name, ...serve], { cwd: consumer });
      await eventually(() => existsSync(readyFile), MINUTE);
      const { pid, url } = JSON.parse(await readFile(readyFile, 'utf8'));
      expect((await fetch(`${url}/_gateway/health/live`)).status).toBe(200);
      process.kill(pid, 'SIGTERM');
      expect((await served).stderr).toContain(`listening on ${url}`);
      await rm(join(consumer, 'data'), { recursive: true });
    },
    2 * MINUTE,
  );
});

describe('the budget', () => {
  // Each name has the limit, and in parentheses the value that was measured when the test was written.

  it('limits the package itself to 3 MiB (2.6)', () => {
    expect(sizeOf(join(consumer, 'node_modules', name))).toBeLessThan(3 * MiB);
  });

  it('limits the package with its dependencies to 90 MiB (46, of which better-sqlite3 has 28)', () => {
    expect(sizeOf(join(consumer, 'node_modules'))).toBeLessThan(90 * MiB);
  });

  it('limits its dependencies to 180 packages (130)', async () => {
    const lock = JSON.parse(await readFile(join(consumer, 'package-lock.json'), 'utf8'));
    expect(Object.keys(lock.packages).length).toBeLessThan(180);
  });

  // Modules are counted instead of timed; the gateway itself is loaded at the first start.
  it.each([
    ['testing', 20, 10],
    ['multer', 10, 3],
  ])("limits require('ota-upload-gateway/%s') to %d modules (%d)", async (entry, budget) => {
    const script = `require('${name}/${entry}'); console.log(Object.keys(require.cache).length)`;
    expect(Number(await inConsumer('--eval', script))).toBeLessThan(budget);
  });
});

describe('the types', () => {
  it.each(['consumer.cts', 'consumer.mts'])(
    'are correct in %s, with only the types of Node',
    async (file) => {
      const types = join(consumer, 'types');
      await mkdir(types, { recursive: true });
      await rm(join(types, 'node'), { force: true });
      await symlink(join(tools, '@types/node'), join(types, 'node'));
      await writeFile(
        join(consumer, file),
        `import { createGateway } from '${name}';
         import type { FaultCodes, Gateway, GatewayOptions, Upload } from '${name}';
         import { startTestGateway } from '${name}/testing';
         import type { UploadGrant } from '${name}/testing';
         import { gatewayStorage } from '${name}/multer';
         export async function use(options: GatewayOptions): Promise<Upload | undefined> {
           const gateway: Gateway = await createGateway({ claimTtl: '10m', ...options });
           gatewayStorage(gateway);
           await using test = await startTestGateway({ maxUpload: '1MiB' });
           const grant: UploadGrant = await test.api.generateOTAUploadURL({ fileSuffix: 'bin' });
           const { code, status } = await test.postObject(grant, 'firmware');
           test.clock.advance({ minutes: 61 });
           test.faults.inject({ operation: 'PostObject', code: code ?? String(status), times: 2 });
           const throttled: FaultCodes['GenerateOTAUploadURL'] = 'Throttling.User';
           test.faults.next('GenerateOTAUploadURL', { code: throttled });
           test.faults.always('GetObject', { code: 'NoSuchKey', message: 'Gone.' }, { rate: 0.5 });
           // @ts-expect-error There is no such operation.
           test.faults.next('PostObjct', { code: 'InternalError' });
           // @ts-expect-error There is no such code.
           test.faults.next('GenerateOTAUploadURL', { code: 'Throtling.User' });
           // @ts-expect-error A download has no such code.
           test.faults.next('GetObject', { code: 'EntityTooLarge' });
           // @ts-expect-error A port is a number, or a text.
           await createGateway({ port: true });
           // @ts-expect-error There is no such fault.
           test.faults.next('PostObject', { explodeAfter: 3 });
           // @ts-expect-error There is no such setting.
           await createGateway({ purgeTtl: '1m' });
           // @ts-expect-error A package needs a version.
           await test.api.createOTAFirmware({ firmwareName: 'a' });
           return gateway.uploads.find(grant.key);
         }
        `,
      );
      const flags = ['--strict', '--noEmit', '--module', 'node20', '--target', 'es2023'];
      const libraries = ['--lib', 'es2023,esnext.disposable', '--typeRoots', types];
      const tsc = join(tools, 'typescript/bin/tsc');
      await inConsumer(tsc, ...flags, ...libraries, '--types', 'node', file);
    },
    2 * MINUTE,
  );
});

describe('the types with the resolution of Node 10', () => {
  it(
    'are found for every entry point',
    async () => {
      await writeFile(
        join(consumer, 'node10.ts'),
        `import { createGateway } from '${name}';
         import { startTestGateway } from '${name}/testing';
         import { gatewayStorage } from '${name}/multer';
         export const all = { createGateway, startTestGateway, gatewayStorage };`,
      );
      const flags = ['--strict', '--noEmit', '--skipLibCheck', '--ignoreDeprecations', '6.0'];
      const module = ['--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop'];
      const libraries = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable'];
      const tsc = join(tools, 'typescript/bin/tsc');
      await inConsumer(tsc, ...flags, ...module, ...libraries, 'node10.ts');
    },
    2 * MINUTE,
  );
});

describe('a hundred gateways', () => {
  it(
    'are created, used and closed, and leave nothing open',
    async () => {
      const script = join(consumer, 'hundred.js');
      await writeFile(
        script,
        `const { readdirSync } = require('node:fs');
         const { tmpdir } = require('node:os');
         // Other tests of this machine have folders of gateways, too.
         process.env.TMPDIR = __dirname;
         const { startTestGateway } = require('${name}/testing');

         const handles = () => process.getActiveResourcesInfo().sort().join();
         const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]).join();
         const files = () => readdirSync('/proc/self/fd').length;
         const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('ota-gateway-')).length;
         const look = () => ({ handles: handles(), listeners: listeners(), files: files(), folders: folders() });

         async function useOne() {
           const gateway = await startTestGateway();
           const grant = await gateway.api.generateOTAUploadURL();
           await gateway.postObject(grant, 'firmware');
           gateway.clock.advance({ minutes: 61 });
           const { purged } = await gateway.purgeUnclaimed();
           if (purged !== 1) throw new Error('nothing was purged');
           await gateway.close();
         }

         async function main() {
           const settle = () => new Promise((resolve) => setTimeout(resolve, 100));
           await useOne();
           await settle();
           const before = look();
           for (let count = 0; count < 100; count += 1) await useOne();
           await settle();
           console.log(JSON.stringify({ before, after: look() }));
         }
         main();
        `,
      );
      const { after, before } = JSON.parse(await inConsumer(script));
      expect(after).toEqual(before);
    },
    MINUTE,
  );

  it(
    'listen, hash and run jobs in parallel, and leave nothing open',
    async () => {
      const script = join(consumer, 'side-by-side.mjs');
      await writeFile(
        script,
        `import { readdirSync } from 'node:fs';
         import { startTestGateway } from '${name}/testing';
         const look = () => [process.getActiveResourcesInfo().sort().join(), readdirSync('/proc/self/fd').length];
         const useAll = async () => {
           const gateways = await Promise.all(Array.from({ length: 10 }, () => startTestGateway()));
           await Promise.all(gateways.map(async (gateway) => {
             const { url } = await gateway.listen();
             gateway.startJobs();
             const grant = await gateway.apiFor(url).generateOTAUploadURL();
             // Large enough for a hash thread.
             const { status } = await gateway.postObjectTo(url, grant, Buffer.alloc(3_000_000));
             if (status !== 200) throw new Error('status ' + status);
           }));
           await Promise.all(gateways.map((gateway) => gateway.close()));
           await new Promise((resolve) => setTimeout(resolve, 100));
         };
         await useAll();
         const before = look();
         await useAll();
         console.log(JSON.stringify({ before, after: look() }));
        `,
      );
      const { after, before } = JSON.parse(await inConsumer(script));
      expect(after).toEqual(before);
    },
    MINUTE,
  );
});

describe('the examples', () => {
  const examples = join(root, 'examples');

  it.each([
    ...['jest-supertest', 'vitest', 'node-test', 'shell-curl', 'express-multer'],
    'alibaba-sdks',
  ])(
    '%s passes, and exits by itself',
    async (example) => {
      const project = await packed.installProject(join(examples, example));
      const { stderr, stdout } = await run('npm', ['test'], { cwd: project, limit: 2 * MINUTE });
      const output = stdout + stderr;
      expect(output).toMatch(/^Tests: .* passed|Tests +\d+ passed|^# fail 0$|^all good$/m);
      expect(output).not.toMatch(/did not exit|force exited|close timed out/);
    },
    15 * MINUTE,
  );

  // go, java and python are tested by test/long/recipes.test.ts, deploy by test/long/ship/, monitoring by its folder there.
  it('are exactly the tested ones', () => {
    const folders = readdirSync(examples, { withFileTypes: true });
    const names = folders.filter((each) => each.isDirectory()).map((each) => each.name);
    expect(names.sort()).toEqual([
      'alibaba-sdks',
      'deploy',
      'express-multer',
      'go',
      'java',
      'jest-supertest',
      'monitoring',
      'node-test',
      'python',
      'shell-curl',
      'vitest',
    ]);
  });

  it(
    'have correct types',
    () => {
      const file = join(examples, 'vitest/stage-firmware.ts');
      const tsc = join(tools, 'typescript/bin/tsc');
      const flags = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'node20'];
      execFileSync(
        process.execPath,
        [tsc, ...flags, '--target', 'es2023', '--types', 'node', file],
        { cwd: root },
      );
    },
    MINUTE,
  );
});
