import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isServerLockHeld, takeServerLock } from '../../../../src/object-store/disk/folder-lock.ts';

describe('the lock of a data folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ota-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is not held in a folder that no server has used, and asking creates no file', async () => {
    expect(isServerLockHeld(folder)).toBe(false);
    expect(isServerLockHeld(join(folder, 'missing'))).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is held from the start of a server to its end', () => {
    const lock = takeServerLock(folder);
    expect(isServerLockHeld(folder)).toBe(true);
    lock.release();
    expect(isServerLockHeld(folder)).toBe(false);
  });
});
