import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
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
    const url = await addressIn(child.stderr);
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

async function addressIn(output: Readable | null): Promise<string> {
  if (output === null) throw new Error('there is no output');
  for await (const line of createInterface(output)) {
    const url = /^listening on (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the gateway has ended');
}
