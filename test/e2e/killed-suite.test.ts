import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { folderForEachTest } from '../support/suite.ts';

const folder = folderForEachTest();
const KIT = join(__dirname, '../../dist/testing/index.js');

/** Runs a suite whose gateway has stored a file. @param end - what it does then */
async function runSuite(end: string): Promise<void> {
  const script = `
    const { startTestGateway } = require(${JSON.stringify(KIT)});
    startTestGateway().then(async (gateway) => {
      await gateway.seed({ bytes: 'firmware' });
      ${end}
    });`;
  const suite = spawn(process.execPath, ['--eval', script], {
    env: { TMPDIR: folder.path },
    stdio: 'inherit',
  });
  await once(suite, 'exit');
}

describe('the temporary folder of a test gateway', () => {
  it('is removed at its end', async () => {
    await runSuite('await gateway.close();');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('of a suite that was killed is removed by the next suite', async () => {
    await runSuite("process.kill(process.pid, 'SIGKILL');");
    expect(await readdir(folder.path)).toHaveLength(1);
    await runSuite('await gateway.close();');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('stays while its process runs, or where its process is not known', async () => {
    const [, namespace = ''] = /-kit-(\d+)-/.exec(await folderOfThisProcess()) ?? [];
    const others = [
      `ota-gateway-kit-${namespace}-${String(process.pid)}-AbCdEf`,
      'ota-gateway-kit-1-4194305-AbCdEf',
      `ota-gateway-kit-${namespace}-4194305`,
      'ota-gateway-AbCdEf',
    ];
    for (const name of others) await mkdir(join(folder.path, name));
    await runSuite('await gateway.close();');
    expect((await readdir(folder.path)).sort()).toEqual(others.sort());
  });
});

/** @returns the name of a kit's folder in the namespace of this process */
async function folderOfThisProcess(): Promise<string> {
  await runSuite("process.kill(process.pid, 'SIGKILL');");
  const [name = ''] = await readdir(folder.path);
  return name;
}
