import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PAGE_FOLDER } from '../../src/console/page-files.ts';
import { CONSOLE, FROM_PAGE, proofOf } from '../http/console/console-api.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { ACCOUNT_KEY, eventually, startBuiltGateway } from '../support/built-gateway.ts';
import { folderForEachTest } from '../support/suite.ts';

describe('OTA_GATEWAY_CONSOLE', () => {
  const folder = folderForEachTest();

  it('on makes the start say where the console is', async () => {
    const gateway = await startBuiltGateway(join(folder.path, 'data'));
    await saidEverything(gateway);
    const [, address = ''] = /^console: (\S+)$/m.exec(gateway.output()) ?? [];
    expect(address).toBe(gateway.url + CONSOLE);
    const response = await fetch(address);
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining('<title>OTA Upload Gateway</title>'),
    ]);
    expect(await gateway.stop()).toBe(0);
  });

  it('off leaves nothing of the console, and accepts no cookie of it', async () => {
    const dataDir = join(folder.path, 'data');
    const on = await startBuiltGateway(dataDir);
    const cookie = await openSession(on.url);
    const about = (url: string): Promise<Response> =>
      fetch(`${url}/_gateway/api/about`, { headers: { cookie } });
    expect((await about(on.url)).status).toBe(200);
    expect(await on.stop()).toBe(0);

    const off = await startBuiltGateway(dataDir, { OTA_GATEWAY_CONSOLE: 'off' });
    await saidEverything(off);
    expect(off.output()).not.toContain('console');
    const assets = readdirSync(join(PAGE_FOLDER, 'assets')).map((name) => `/assets/${name}`);
    expect(assets.length).toBeGreaterThan(1);
    const paths = ['', '/', '/challenge', '/session', '/index.html', '/LICENSES.md', ...assets];
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
        const headers = { ...FROM_PAGE, cookie };
        const url = off.url + CONSOLE + path;
        const { headers: received, status } = await fetch(url, { method, headers });
        expect([method, path, status, received.get('set-cookie')]).toEqual([
          ...[method, path, 404, null],
        ]);
      }
    }
    expect((await about(off.url)).status).toBe(401);
    expect(await off.stop()).toBe(0);
  });
});

/** Waits for the last text of a start. */
function saidEverything({ output }: BuiltGateway): Promise<void> {
  return eventually(() => output().includes('Try it in another terminal'));
}

/** Signs in as the page does. @returns the cookie */
async function openSession(url: string): Promise<string> {
  const answer: unknown = await (await fetch(`${url}${CONSOLE}/challenge`)).json();
  const { challenge } = z.object({ challenge: z.string() }).parse(answer);
  const { status, headers } = await fetch(`${url}${CONSOLE}/session`, {
    method: 'POST',
    headers: FROM_PAGE,
    body: JSON.stringify({ id: ACCOUNT_KEY.id, challenge, proof: proofOf(ACCOUNT_KEY, challenge) }),
  });
  expect(status).toBe(201);
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}
