import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from '../../support/programs.ts';
import { folderForSuite } from '../../support/suite.ts';
import { replace, shipped } from './proxy.ts';

const execute = promisify(execFile);

// Checks the file alone: no systemd runs here.
describeWith('systemd-analyze', 'the unit for systemd', () => {
  const folder = folderForSuite();
  let unit: string;

  beforeAll(async () => {
    unit = join(folder.path, 'ota-gateway.service');
    // The program need not be installed.
    const text = replace(shipped('ota-gateway.service'), '/usr/local/bin/ota-gateway', '/bin/true');
    await writeFile(unit, text);
  });

  it('has nothing that systemd warns about', async () => {
    const { stderr, stdout } = await execute('systemd-analyze', ['verify', unit]);
    expect(stdout + stderr).toBe('');
  });

  it('leaves an attacker no more than it needs', async () => {
    // The threshold is the exposure times ten: systemd-analyze fails above it.
    const limit = ['--offline=true', '--threshold=15', '--no-pager'];
    const { stdout } = await execute('systemd-analyze', ['security', ...limit, unit]);
    expect(stdout).toMatch(/Overall exposure level for ota-gateway\.service: (?:0\.\d|1\.[0-5]) /);
  });
});
