import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { MAIN, temporaryFolder } from '../support/built-gateway.ts';

// The log was on a full disk, and its lines kept the process from ending: it tried to write them for ever. Here every write
// fails because the file is open for reading.
it('serves, and stops, while its log cannot be written', async () => {
  const folder = await temporaryFolder();
  const serve = [MAIN, 'serve', '--port', '0', '--data-dir', folder.path, '--log-level', 'debug'];
  const child = spawn(process.execPath, serve, {
    stdio: ['ignore', openSync(__filename, 'r'), 'pipe'],
  });
  try {
    let url = '';
    for await (const line of createInterface(child.stderr)) {
      url = /^listening on (\S+)$/.exec(line)?.[1] ?? '';
      if (url !== '') break;
    }
    expect((await fetch(`${url}/key`)).status).toBe(403);
    expect((await fetch(`${url}/key`)).status).toBe(403);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  } finally {
    child.kill('SIGKILL');
    await folder.remove();
  }
}, 20_000);
