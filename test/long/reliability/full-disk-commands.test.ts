import {
  closeSync,
  cpSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { accountsText } from '../../support/accounts.ts';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../../support/built-gateway.ts';
import { folderForSuite } from '../../support/suite.ts';
import type { SmallDisk } from './small-disk.ts';
import { mountSmallDisk } from './small-disk.ts';

jest.setTimeout(60_000);

const possible = mountSmallDisk('1m');
if (typeof possible === 'string') process.stderr.write(`no disk can be filled: ${possible}\n`);
else possible.unmount();
const whenMounted = typeof possible === 'string' ? describe.skip : describe;

/** Writes a file until there is no room for another byte. */
function fill(folder: string): void {
  const file = openSync(join(folder, 'filling'), 'w');
  try {
    for (let room = true; room;) room = writeSync(file, Buffer.alloc(4096)) > 0;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

/** @returns the text of each file with bytes, without the one that fills the disk */
function readAll(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name !== 'filling' && statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const)
      .filter(([, text]) => text !== ''),
  );
}

/** Keys that are generated, as in a new data folder. */
const GENERATED = {
  OTA_GATEWAY_ACCESS_KEY_ID: '',
  OTA_GATEWAY_ACCESS_KEY_SECRET: '',
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: '',
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: '',
};
const NOTHING_CHANGED = /the disk is full \(ENOSPC\)\. Free .*Nothing was changed/;

whenMounted('on a full disk', () => {
  const folder = folderForSuite();
  let disk: SmallDisk;
  const dataDir = (): string => join(folder.path, 'data');

  beforeAll(async () => {
    expect(await (await startBuiltGateway(dataDir(), GENERATED)).stop()).toBe(0);
  });

  beforeEach(() => {
    const mounted = mountSmallDisk('256k');
    if (typeof mounted === 'string') throw new Error(mounted);
    disk = mounted;
    cpSync(join(dataDir(), 'credentials.json'), join(disk.path, 'kept', 'credentials.json'));
    const accounts = [{ id: 'acme', accessKeys: [ACCOUNT_KEY] }];
    writeFileSync(join(disk.path, 'kept.json'), accountsText(accounts));
    fill(disk.path);
  });

  afterEach(() => {
    disk.unmount();
  });

  it.each([
    [
      'backup DISK/copy',
      1,
      /^the backup to .*copy has failed: the disk is full \(SQLITE_FULL\)\. /,
    ],
    ['accounts add new --accounts-file DISK/accounts.json', 1, NOTHING_CHANGED],
    ['accounts add new --accounts-file DISK/kept.json', 1, NOTHING_CHANGED],
    ['accounts rotate --bucket --data-dir DISK/kept', 1, NOTHING_CHANGED],
    [
      'serve --port 0 --ready-file DISK/ready.json',
      2,
      /ready\.json cannot be written \(the disk is full \(ENOSPC\)\): /,
    ],
    [
      'serve --port 0 --data-dir DISK/data',
      1,
      /server\.lock cannot be locked: the disk is full\. Free /,
    ],
  ])('%s ends with %d, says why, and leaves nothing incomplete', async (command, code, message) => {
    const words = command.replaceAll('DISK', disk.path).split(' ');
    const place = words.includes('--data-dir') ? [] : ['--data-dir', dataDir()];
    const before = readAll(disk.path);
    const result = await runCli([...words, ...place]);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(message) as string });
    expect(result.stderr).not.toMatch(/SqliteError|ENOSPC: |^ +at /m);
    expect(readAll(disk.path)).toEqual(before);
  });

  it('serve starts there after some space was freed', async () => {
    const other = join(disk.path, 'data');
    const words = ['serve', '--port', '0', '--data-dir', other];
    expect((await runCli(words)).code).toBe(1);
    rmSync(join(disk.path, 'filling'));
    expect(await (await startBuiltGateway(other, { OTA_GATEWAY_MIN_FREE: '0' })).stop()).toBe(0);
  });
});
