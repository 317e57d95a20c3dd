import fs, { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  credentialsPath,
  loadOrCreateCredentials,
  readCredentials,
} from '../../../src/accounts/credentials-file.ts';
import { temporaryFolder } from '../../support/built-gateway.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await folder.remove();
});

const names = (): string[] => readdirSync(folder.path);

it('generates credentials once, readable only by their owner', () => {
  const made = loadOrCreateCredentials(folder.path);
  expect(loadOrCreateCredentials(folder.path)).toEqual(made);
  expect(readCredentials(folder.path)).toEqual(made);
  expect(statSync(credentialsPath(folder.path)).mode & 0o777).toBe(0o600);
  expect(names()).toEqual(['credentials.json']);
});

it('gives the file its name after its bytes are flushed, and flushes the folder', () => {
  const steps: string[] = [];
  const { fsyncSync, linkSync } = fs;
  jest.spyOn(fs, 'fsyncSync').mockImplementation((file) => {
    steps.push(fs.fstatSync(file).isDirectory() ? 'flush the folder' : 'flush the file');
    fsyncSync(file);
  });
  jest.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
    steps.push('name it');
    linkSync(from, to);
  });
  loadOrCreateCredentials(folder.path);
  expect(steps).toEqual(['flush the file', 'name it', 'flush the folder']);
});

it.each(['writeFileSync', 'fsyncSync', 'linkSync'] as const)(
  'starts the next time when %s has failed, or was not reached',
  (name) => {
    jest.spyOn(fs, name).mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    expect(() => loadOrCreateCredentials(folder.path)).toThrow('ENOSPC');
    jest.restoreAllMocks();
    expect(names()).toEqual([]);
    expect(loadOrCreateCredentials(folder.path)).toEqual(readCredentials(folder.path));
  },
);

it.each([
  ['empty', ''],
  ['of zeros', '\0'.repeat(300)],
])('generates credentials in place of a file that is %s', (_how, content) => {
  writeFileSync(credentialsPath(folder.path), content);
  writeFileSync(join(folder.path, 'credentials.json.unfinished-0011'), '{"account');
  const made = loadOrCreateCredentials(folder.path);
  expect(readCredentials(folder.path)).toEqual(made);
  expect(names()).toEqual(['credentials.json']);
});

it.each(['{"account"', '{}', 'null'])(
  'does not change a file with %s, and says what to do',
  (content) => {
    writeFileSync(credentialsPath(folder.path), content);
    expect(() => loadOrCreateCredentials(folder.path)).toThrow(
      /credentials\.json does not hold credentials.*Restore it from a backup; or remove it/,
    );
    expect(readFileSync(credentialsPath(folder.path), 'utf8')).toBe(content);
  },
);

it.each([
  ['nothing', undefined],
  ['an empty file', ''],
])(
  'gives the same credentials to processes that start at the same time, where the folder holds %s',
  async (_, content) => {
    const code = `
    const { loadOrCreateCredentials } = require('./dist/accounts/credentials-file.js');
    process.stdout.write(JSON.stringify(loadOrCreateCredentials(process.argv[1])));
  `;
    if (content !== undefined) writeFileSync(credentialsPath(folder.path), content);
    const made = await Promise.all(
      [1, 2].map(async () => {
        const child = spawn(process.execPath, ['-e', code, folder.path], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
        return output;
      }),
    );
    expect(made[0]).toBe(made[1]);
    expect(JSON.parse(made[0] ?? '')).toEqual(readCredentials(folder.path));
  },
  30_000,
);
