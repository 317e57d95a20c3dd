import { execFile } from 'node:child_process';
import { mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { callApi } from '../../../src/client/api-client.ts';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { runCli, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, download, grantFrom, post } from '../../support/loop.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { Dice } from './dice.ts';
import { KillLog } from './kill.ts';
import { mountSmallDisk } from './small-disk.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const FILE = patternBytes(200_000);
const run = promisify(execFile);

const folder = folderForEachTest();
let dataDir: string;

beforeEach(() => {
  dataDir = join(folder.path, 'data');
});

async function stored(url: string, bytes = FILE): Promise<UploadGrant> {
  const grant = await grantFrom(url);
  expect(await post(grant, bytes)).toMatchObject({ status: 200 });
  return grant;
}

async function bodyOf(key: string): Promise<string> {
  const { bodies, rows } = await inspectData(dataDir);
  const row = rows.find((each) => each.key === key);
  const path = bodies.get(row?.locator ?? '');
  if (path === undefined) throw new Error(`${key} has no body`);
  return path;
}

function fsck(...flags: string[]): ReturnType<typeof runCli> {
  return runCli(['fsck', '--data-dir', dataDir, ...flags]);
}

/** Changes one byte of a file, but not its size. */
async function rot(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(Buffer.from([0xaa]), 0, 1, 1000);
}

function changeLedger(sql: string): void {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'));
  database.pragma('foreign_keys = OFF');
  database.exec(sql);
  database.close();
}

describe('ota-gateway fsck', () => {
  it('finds nothing in an undamaged folder, and prints its progress', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const grant = await stored(gateway.url, patternBytes(3 * MIB));
    await claim(gateway.url, grant, 'fw');
    await stored(gateway.url);
    const [quick, deep] = [await fsck(), await fsck('--deep')];
    for (const { code, stdout } of [quick, deep]) {
      expect(code).toBe(0);
      expect(stdout).toBe(
        '2 uploads with 3345728 bytes, 0 waiting for the purge, 0 unfinished, 0 findings, 0 left\n',
      );
    }
    expect(deep.stderr).toMatch(/^read \[[#.]{30}\] +0 %[^]*^read \[#{30}\] 100 %/m);
    await gateway.stop();
  });

  it('prints the singular for a count of one, as backup does', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const { key } = await stored(gateway.url, patternBytes(1));
    await gateway.stop();
    const target = join(folder.path, 'backup');
    const copied = await runCli(['backup', target, '--data-dir', dataDir]);
    expect(copied.stdout).toBe(`1 upload with 1 byte in ${target}\n`);
    await unlink(await bodyOf(key));
    const { stdout } = await fsck();
    expect(stdout).toContain('1 upload with 1 byte, ');
    expect(stdout).toMatch(/, 1 finding, 1 left\n$/);
  });

  it('finds every kind of problem, and repairs what can be repaired', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const { url } = gateway;
    const [lost, lostClaimed, short, rotten, orphaned] = await Promise.all(
      Array.from({ length: 5 }, () => stored(url)),
    );
    if (!lost || !lostClaimed || !short || !rotten || !orphaned) throw new Error('too few');
    const firmwareId = await claim(url, lostClaimed, 'lost');
    await claim(url, rotten, 'rotten');
    expect(await gateway.stop()).toBe(0);

    await unlink(await bodyOf(lost.key));
    await unlink(await bodyOf(lostClaimed.key));
    const shortBody = await bodyOf(short.key);
    await writeFile(shortBody, FILE.subarray(0, 1000));
    await rot(await bodyOf(rotten.key));
    const orphan = await bodyOf(orphaned.key);
    changeLedger(`DELETE FROM uploads WHERE key = '${orphaned.key}'`);
    await writeFile(join(dataDir, 'objects', 'notes.txt'), 'not ours');
    changeLedger(`DELETE FROM firmware_packages WHERE name = 'rotten'`);

    const found = await fsck('--deep');
    expect(found.code).toBe(3);
    const lines = found.stdout.split('\n').map((line) => line.replace(/[0-9a-f]{32}/g, 'L'));
    expect(lines.sort()).toEqual([
      '',
      expect.stringContaining('4 uploads with 800000 bytes'),
      expect.stringMatching(/^bodyWithoutRow: objects\/[0-9a-f]{2}\/L is not in the ledger$/),
      expect.stringMatching(/^bytesDiffer: .* (?:has 1000 bytes|has the MD5 L instead of L$)/),
      expect.stringMatching(/^bytesDiffer: .* (?:has 1000 bytes|has the MD5 L instead of L$)/),
      expect.stringMatching(/^bytesMissing: .* \((?:stored|claimed), L\) has no bytes$/),
      expect.stringMatching(/^bytesMissing: .* \((?:stored|claimed), L\) has no bytes$/),
      expect.stringMatching(/^ledgerDamage: the package .* does not exist, but has files$/),
      expect.stringMatching(
        /^ledgerDamage: the upload .* is claimed by the package .*, which does not exist$/,
      ),
      'strayFile: objects/notes.txt is not a body',
    ]);
    expect(found.stdout).toMatch(/has the MD5[^]*has 1000 bytes|has 1000 bytes[^]*has the MD5/);

    // A quick check does not read bodies, so it does not find changed bytes.
    const quick = await fsck();
    expect(quick.code).toBe(3);
    expect(quick.stdout).not.toContain('MD5');

    const repaired = await fsck('--deep', '--repair');
    expect(repaired.code).toBe(3);
    expect(repaired.stdout).toContain('has no bytes (removed from the ledger)');
    expect(repaired.stdout).toMatch(/is not in the ledger \(moved to lost\/[0-9a-f]{32}\)$/m);
    const setAside = await readdir(join(dataDir, 'lost'));
    expect(setAside.sort()).toEqual([orphan.split('/').at(-1), 'notes.txt'].sort());
    const again = await fsck();
    expect(again.stdout).not.toMatch(/\(stored, \w+\) has no bytes|bodyWithoutRow|strayFile/);

    const next = await startBuiltGateway(dataDir);
    await callApi(apiOf(next.url), 'DeleteOTAFirmware', { FirmwareId: firmwareId });
    expect((await fsck()).stdout).not.toContain('has no bytes');
    await next.stop();
  });

  it('repairs nothing while a server runs, and then completes or removes what a crash has left', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const refused = await fsck('--repair');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`process ${String(gateway.pid)}`);
    await gateway.kill();
    await writeFile(join(dataDir, 'staging', '0'.repeat(32)), FILE);
    expect((await fsck()).stdout).toContain('1 unfinished, 0 findings');
    expect(await fsck('--repair')).toMatchObject({ code: 0 });
    expect(await readdir(join(dataDir, 'staging'))).toEqual([]);
  });

  it('reports no finding for uploads that change during the check', async () => {
    const dice = Dice.roll('fsck');
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_CLAIM_TTL: '1s',
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
    });
    let over = false;
    const log = new KillLog(1000);
    const driving = Promise.all(
      Array.from({ length: 4 }, () =>
        log.drive(
          () => gateway.url,
          dice.fork(),
          () => over,
        ),
      ),
    );
    for (let n = 0; n < 10; n += 1) {
      const checked = await fsck(...(n % 2 === 0 ? ['--deep'] : []));
      expect(checked).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(' 0 findings'),
        // Standard error has only progress.
        stderr: expect.stringMatching(/^(?:(?:checked|read) \[.*\n)*$/),
      });
    }
    over = true;
    await driving;
    await gateway.stop();
  });

  it('rejects a folder that is not a data folder', async () => {
    await mkdir(dataDir);
    const { code, stderr } = await fsck();
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `--data-dir: ${dataDir} is not the data folder of a gateway: it holds no ledger. Give the folder of its server\n`,
    });
    expect(await readdir(dataDir)).toEqual([]);
  });
});

describe('ota-gateway backup', () => {
  const backupTo = (target: string): ReturnType<typeof runCli> =>
    runCli(['backup', target, '--data-dir', dataDir]);

  /** The two commands of the documentation. */
  async function restore(backup: string, target: string): Promise<BuiltGateway> {
    await run('cp', ['-a', backup, target]);
    const checked = await runCli(['fsck', '--deep', '--data-dir', target]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('0 findings') });
    return startBuiltGateway(target);
  }

  /** Longer than a backup takes on a busy machine, while replaced and deleted files are purged. */
  const CLAIM_TTL_MS = 30_000;
  /** An account may have 500. */
  const PACKAGES_KEPT = 20;

  it('makes a consistent copy of a folder while its server works', async () => {
    const dice = Dice.roll('backup');
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_CLAIM_TTL: `${String(CLAIM_TTL_MS)}ms`,
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
    });
    const kept = await stored(gateway.url, patternBytes(2 * MIB));
    const firmwareId = await claim(gateway.url, kept, 'kept');
    const log = new KillLog(CLAIM_TTL_MS);
    for (let n = 0; n < 3; n += 1) {
      let over = false;
      const driving = Promise.all(
        Array.from({ length: 4 }, () =>
          log.drive(
            () => gateway.url,
            dice.fork(),
            () => over,
          ),
        ),
      );
      const backup = join(folder.path, `backup-${String(n)}`);
      const unclaimed = await stored(gateway.url);
      const done = await backupTo(backup);
      expect(done).toMatchObject({ code: 0, stderr: '' });
      over = true;
      await driving;
      await log.trim(gateway.url, PACKAGES_KEPT);

      const restored = await restore(backup, join(folder.path, `restored-${String(n)}`));
      expect((await download(restored.url, firmwareId)).equals(patternBytes(2 * MIB))).toBe(true);
      expect(await findProblems(await inspectData(restored.dataDir))).toEqual([]);
      const late = await claim(restored.url, unclaimed, `late-${String(n)}`);
      expect((await download(restored.url, late)).equals(FILE)).toBe(true);
      expect(await restored.stop()).toBe(0);
    }
    expect(await gateway.stop()).toBe(0);
    const left = await readdir(folder.path);
    expect(left.filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('copies generated keys with permissions for their owner only', async () => {
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_ACCESS_KEY_ID: '',
      OTA_GATEWAY_ACCESS_KEY_SECRET: '',
    });
    await gateway.stop();
    const backup = join(folder.path, 'backup');
    expect(await backupTo(backup)).toMatchObject({ code: 0 });
    const [original, copy] = [dataDir, backup].map((path) => join(path, 'credentials.json'));
    expect(await readFile(copy ?? '')).toEqual(await readFile(original ?? ''));
    expect((await stat(copy ?? '')).mode & 0o777).toBe(0o600);
    expect((await readdir(backup)).sort()).toEqual(['credentials.json', 'gateway.sqlite3']);
  });

  it('links bodies on one file system, copies them to another, and survives the original', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const grant = await stored(gateway.url);
    const firmwareId = await claim(gateway.url, grant, 'fw');
    const near = join(folder.path, 'near');
    expect(await backupTo(near)).toMatchObject({ code: 0 });
    expect((await stat(await bodyOf(grant.key))).nlink).toBe(2);
    const other = mountSmallDisk('32m');
    if (typeof other !== 'string') {
      expect(await backupTo(join(other.path, 'far'))).toMatchObject({ code: 0 });
      await run('cp', ['-a', join(other.path, 'far'), join(folder.path, 'far')]);
      other.unmount();
    }
    await callApi(apiOf(gateway.url), 'DeleteOTAFirmware', { FirmwareId: firmwareId });
    expect(await gateway.stop()).toBe(0);
    await rename(dataDir, join(folder.path, 'broken'));
    for (const backup of [near, ...(typeof other === 'string' ? [] : [join(folder.path, 'far')])]) {
      const restored = await restore(backup, `${backup}-restored`);
      expect((await download(restored.url, firmwareId)).equals(FILE)).toBe(true);
      await restored.stop();
    }
  });

  it('overwrites nothing, and reports what the original lacks', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const grant = await stored(gateway.url);
    const full = join(folder.path, 'full');
    await mkdir(full);
    await writeFile(join(full, 'x'), 'x');
    expect(await backupTo(full)).toMatchObject({
      code: 1,
      stderr: `${full} is not empty. Give a folder that does not exist yet\n`,
    });
    await unlink(await bodyOf(grant.key));
    const lacking = await backupTo(join(folder.path, 'lacking'));
    expect(lacking).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`${grant.key} has no bytes; run fsck`),
    });
    await gateway.stop();
  });
});
