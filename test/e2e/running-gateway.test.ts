import { readFile, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { healthResult } from '../../src/cli/shapes.ts';
import { errorShape } from '../../src/operator/shapes.ts';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { folderForSuite, gatewayForSuite } from '../support/suite.ts';

const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
};

/** Each test starts several processes. */
jest.setTimeout(30_000);

describe('a command finds the gateway that uses a data folder', () => {
  const gateway = gatewayForSuite();
  const folder = folderForSuite();
  const health = (...args: string[]): ReturnType<typeof runCli> => runCli(['health', ...args]);

  it('by gateway.json, which only the owner can read', async () => {
    const path = join(gateway.dataDir, 'gateway.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const live: unknown = await (await fetch(`${gateway.url}/_gateway/health/live`)).json();
    const written: unknown = JSON.parse(await readFile(path, 'utf8'));
    const gatewayId = expect.stringMatching(/^[0-9a-f]{32}$/) as string;
    expect(written).toEqual({
      ...{ url: gateway.url, gatewayId, pid: expect.any(Number) as number },
      settings: { bucket: 'iotx-ota', claimTtl: '3600000ms', policyTtl: '60000ms' },
    });
    expect(live).toEqual({
      status: 'live',
      gatewayId: (written as { gatewayId: string }).gatewayId,
    });
  });

  it('and asks it for its health', async () => {
    const [text, json, byEnvironment, byEndpoint] = await Promise.all([
      health('--data-dir', gateway.dataDir),
      health('--live', '--json', '--data-dir', gateway.dataDir),
      runCli(['health'], { OTA_GATEWAY_DATA_DIR: gateway.dataDir }),
      runCli(['health'], { OTA_GATEWAY_ENDPOINT: gateway.url, OTA_GATEWAY_DATA_DIR: folder.path }),
    ]);
    const healthy = { code: 0, stdout: `ready  ${gateway.url}\n`, stderr: '' };
    expect([text, byEnvironment, byEndpoint]).toEqual([healthy, healthy, healthy]);
    const parsed = healthResult.parse(JSON.parse(json.stdout));
    expect(parsed).toMatchObject({ status: 'live', url: gateway.url });
  });

  it('and takes the settings of --env-file and of the environment', async () => {
    const file = join(folder.path, 'gateway.env');
    const lines = [`OTA_GATEWAY_DATA_DIR=${gateway.dataDir}`, 'OTA_GATEWAY_ACCESS_KEY_ID=testid'];
    lines.push('OTA_GATEWAY_ACCESS_KEY_SECRET=testsecret');
    await writeFile(file, lines.join('\n'));
    const args = [__filename, '--version', '1'];
    const [byFile, byPort] = await Promise.all([
      runCli(['upload', ...args, '--name', 'by-file', '--env-file', file]),
      runCli(['upload', ...args, '--name', 'by-port'], {
        ...KEYS,
        OTA_GATEWAY_DATA_DIR: folder.path,
        OTA_GATEWAY_PORT: String(gateway.port),
      }),
    ]);
    expect(byFile).toMatchObject({ code: 0 });
    expect(byPort).toMatchObject({ code: 0 });
    expect(byPort.stdout).toContain(`FirmwareUrl  ${gateway.url}/ota/`);
  });

  it('and refuses to act on another one that answers at its address', async () => {
    const other = join(folder.path, 'other');
    const running = await startBuiltGateway(other);
    const path = join(other, 'gateway.json');
    const written = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...written, url: gateway.url }));
    const args = ['upload', __filename, '--name', 'other', '--version', '1', '--data-dir', other];
    const { code, stderr, stdout } = await runCli([...args, '--json'], KEYS);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(errorShape.parse(JSON.parse(stderr)).error).toEqual({
      code: 'AnotherGateway',
      message: `${gateway.url} is answered by another gateway, not by the one that uses the data folder ${other} (process ${String(running.pid)})`,
      hint: 'Nothing was changed. Check what else uses the port or the public URL, or give the right --endpoint',
    });
    expect(await running.stop()).toBe(0);
  });

  it('and says so when the file is left of a killed process, is damaged, or is not there', async () => {
    const dataDir = join(folder.path, 'killed');
    const killed = await startBuiltGateway(dataDir);
    await killed.kill();
    const stale = await health('--data-dir', dataDir);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toMatch(
      new RegExp(
        `gateway\\.json is left of process ${String(killed.pid)}, .* Start the gateway again`,
      ),
    );
    await writeFile(join(dataDir, 'gateway.json'), '{}');
    expect((await health('--data-dir', dataDir)).stderr).toMatch(/does not hold .* Remove it and/);

    const again = await startBuiltGateway(dataDir);
    expect(await again.stop()).toBe(0);
    expect(existsSync(join(dataDir, 'gateway.json'))).toBe(false);
    const none = await runCli(
      ['upload', __filename, '--name', 'n', '--version', '1', '--data-dir', dataDir],
      KEYS,
    );
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^no gateway is running on the data folder .*--endpoint URL\n$/);
  });

  it('and says what is wrong when something else answers', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const [other, wrong] = await Promise.all([
      health('--endpoint', url, '--json'),
      health('--endpoint', 'nowhere', '--json'),
    ]);
    server.close();
    expect(errorShape.parse(JSON.parse(other.stderr)).error).toMatchObject({
      code: 'NotReady',
      message: `${url} answers with status 200 and not as a gateway does`,
    });
    expect(wrong.code).toBe(1);
    expect(errorShape.parse(JSON.parse(wrong.stderr)).error.message).toMatch(/expected an http/);
  });
});
