import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, MAIN, startBuiltGateway } from '../../support/built-gateway.ts';
import { folderForEachTest } from '../../support/suite.ts';

jest.setTimeout(120_000);

const TIMES = 20;

interface Contender {
  readonly child: ChildProcess;
  output(): string;
}

const contenders = new Set<ChildProcess>();

function startContender(dataDir: string): Contender {
  const args = [MAIN, 'serve', '--port', '0', '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  contenders.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  }
  return { child, output: () => output };
}

const hasEnded = ({ child }: Contender): boolean => child.exitCode !== null;
const listens = ({ output }: Contender): boolean => output().includes('listening on ');

describe('one server in a data folder', () => {
  const folder = folderForEachTest();
  let dataDir: string;

  beforeEach(() => {
    dataDir = join(folder.path, 'data');
  });

  afterAll(() => {
    for (const child of contenders) child.kill('SIGKILL');
  });

  it(`starts, of two at the same instant, after a kill of the last one, ${String(TIMES)} times`, async () => {
    for (let time = 0; time < TIMES; time += 1) {
      const both = [startContender(dataDir), startContender(dataDir)];
      await eventually(() => both.filter(hasEnded).length + both.filter(listens).length === 2);
      const [winner, ...others] = both.filter(listens);
      const [loser] = both.filter(hasEnded);
      if (winner === undefined || loser === undefined) throw new Error('no winner, or no loser');
      expect(others).toEqual([]);
      expect(loser.child.exitCode).toBe(1);
      const pid = String(winner.child.pid);
      expect(loser.output()).toBe(
        `another server uses the data folder ${dataDir}: process ${pid}\n`,
      );
      expect(await readFile(join(dataDir, 'server.pid'), 'utf8')).toBe(`process ${pid}\n`);
      const exited = once(winner.child, 'exit');
      winner.child.kill('SIGKILL');
      await exited;
    }
    // The last one has left its process id, but not its lock.
    expect(await (await startBuiltGateway(dataDir)).stop()).toBe(0);
  });
});
