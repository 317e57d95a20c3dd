import fs, { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findFolderState, findRunning, lookAt } from '../../../src/cli/doctor/checkup.ts';
import type { Checkup } from '../../../src/cli/doctor/checkup.ts';
import { FOLDER_POINTS } from '../../../src/cli/doctor/folder-points.ts';
import { NETWORK_POINTS } from '../../../src/cli/doctor/network-points.ts';
import { SETTINGS_POINTS } from '../../../src/cli/doctor/settings-points.ts';
import { readConfig } from '../../../src/cli/environment.ts';
import type { DoctorPoint } from '../../../src/cli/shapes.ts';
import { takeServerLock } from '../../../src/object-store/disk/folder-lock.ts';
import { folderForSuite } from '../../support/suite.ts';

const folder = folderForSuite();

it('does not say that no gateway is running when gateway.json cannot be understood', async () => {
  const dataDir = folder.path;
  writeFileSync(join(dataDir, 'gateway.json'), '{');
  const lock = takeServerLock(dataDir);
  const checkup: Checkup = {
    ...{ config: readConfig({ dataDir }), options: {}, problems: [], endpoint: undefined },
    ...findRunning(dataDir),
    folder: findFolderState(dataDir),
  };
  const names = ['port', 'lock', 'gateway', 'clock', 'public URL', 'proxy'];
  const points = [...SETTINGS_POINTS, ...FOLDER_POINTS, ...NETWORK_POINTS];
  const found = await Promise.all(
    points.filter(({ name }) => names.includes(name)).map((point) => lookAt(point, checkup)),
  );
  lock.release();
  const reason = `${join(dataDir, 'gateway.json')} does not hold {"url","gatewayId","pid"} of a running gateway`;
  expect(found).toEqual(
    names.map((name) =>
      name === 'lock'
        ? { name, level: 'warn', text: `held, but ${reason}` }
        : { name, level: 'skip', text: `not known: ${reason}` },
    ),
  );
});

/** @returns what `doctor` finds at one point of a folder */
function lookAtFolder(dataDir: string, name: string): Promise<DoctorPoint[]> {
  const checkup: Checkup = {
    ...{ config: readConfig({ dataDir }), options: {}, problems: [], endpoint: undefined },
    ...findRunning(dataDir),
    folder: findFolderState(dataDir),
  };
  const points = FOLDER_POINTS.filter((point) => point.name === name);
  return Promise.all(points.map((point) => lookAt(point, checkup)));
}

// A clone has the default folder, which git creates for every user to read.
it('warns of a folder that every user can list, and fails for a secret in it, also when its path begins with ./', async () => {
  const dataDir = join(folder.path, 'open');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  writeFileSync(join(dataDir, 'credentials.json'), '{}', { mode: 0o600 });
  const path = `./${relative(process.cwd(), dataDir)}`;
  expect(await lookAtFolder(path, 'permissions')).toEqual([
    {
      name: 'permissions',
      level: 'warn',
      text: `${path} can be used by every user (mode 755)`,
      hint: `chmod go= ${path}`,
    },
  ]);
  chmodSync(join(dataDir, 'credentials.json'), 0o644);
  expect(await lookAtFolder(path, 'permissions')).toMatchObject([{ level: 'fail' }]);
});

it('does not advise to remove the lock of another user', async () => {
  const dataDir = join(folder.path, 'of-another-user');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'server.lock'), '', { mode: 0o600 });
  const { accessSync } = fs;
  const access = jest.spyOn(fs, 'accessSync').mockImplementation((path, mode) => {
    if (String(path).endsWith('server.lock')) throw Object.assign(new Error(), { code: 'EACCES' });
    accessSync(path, mode);
  });
  const found = await lookAtFolder(dataDir, 'lock');
  access.mockRestore();
  expect(found).toEqual([
    { name: 'lock', level: 'skip', text: 'not known: this user may not open server.lock' },
  ]);
});
