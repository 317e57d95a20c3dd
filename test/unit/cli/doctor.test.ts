import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFolderState, findRunning, lookAt } from '../../../src/cli/doctor/checkup.ts';
import type { Checkup } from '../../../src/cli/doctor/checkup.ts';
import { FOLDER_POINTS } from '../../../src/cli/doctor/folder-points.ts';
import { NETWORK_POINTS } from '../../../src/cli/doctor/network-points.ts';
import { SETTINGS_POINTS } from '../../../src/cli/doctor/settings-points.ts';
import { readConfig } from '../../../src/cli/environment.ts';
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
