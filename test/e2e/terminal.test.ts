import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRunningGateway } from '../../src/cli/running-gateway.ts';
import { isRunning } from '../../src/lib/is-running.ts';
import { MAIN, eventually } from '../support/built-gateway.ts';
import { describeWith } from '../support/programs.ts';
import { folderForSuite } from '../support/suite.ts';

jest.setTimeout(30_000);

describeWith('script', 'serve on a terminal', () => {
  const folder = folderForSuite();

  it('logs a request in one line without color, reloads at SIGHUP, and stops when the terminal is closed', async () => {
    const dataDir = join(folder.path, 'data');
    const command = `exec ${process.execPath} ${MAIN} serve --port 0 --data-dir ${dataDir}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', NO_COLOR: '1', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    terminal.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    await eventually(() => output.includes('Try it in another terminal'));
    const { pid = 0, url = '' } = readRunningGateway(dataDir) ?? {};
    await fetch(`${url}/missing.bin`);
    await eventually(() => output.includes('NoSuchKey') || output.includes('AccessDenied'));
    process.kill(pid, 'SIGHUP');
    await eventually(() => output.includes('read the file of access keys again'));
    terminal.kill('SIGKILL');
    await eventually(() => !isRunning(pid));
    expect(existsSync(join(dataDir, 'gateway.json'))).toBe(false);
    const [line = '', next = ''] = output.slice(output.indexOf('GetObject: ')).split('\r\n');
    expect(line).toMatch(
      /^GetObject: AccessDenied.* {2}403 {2}missing\.bin {2}\d+ B {2}\d+ ms {2}127\.0\.0\.1 {2}[0-9A-F]{24}$/,
    );
    expect(next).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: read the file of access keys again$/);
    expect(output).not.toContain('\u001b');
  });
});
