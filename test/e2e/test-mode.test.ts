import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { grantFrom, post } from '../support/loop.ts';
import { folderForSuite } from '../support/suite.ts';

describe('serve --test-mode', () => {
  const folder = folderForSuite();

  it('moves the clock of a process by an hour', async () => {
    const gateway = await startBuiltGateway(folder.path, { OTA_GATEWAY_TEST_MODE: 'on' });
    await eventually(() => gateway.output().includes('test mode is on: every client that reaches'));
    const control = async (method: string, path: string, body?: object): Promise<unknown> => {
      const url = `${gateway.url}/_gateway/test${path}`;
      const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
      return response.json();
    };
    const before = await grantFrom(gateway.url);
    expect(await post(before, Buffer.from('firmware'))).toMatchObject({ status: 200 });
    await control('POST', '/clock/advance', { minutes: 61 });
    expect(await control('POST', '/purge')).toEqual({ purged: 1, failed: 0, bytes: 8 });

    // Clients that use the time of the machine still work.
    const after = await grantFrom(gateway.url);
    await control('POST', '/faults', { operation: 'PostObject', code: 'InternalError' });
    expect(await post(after, Buffer.from('firmware'))).toMatchObject({ status: 500 });
    expect(await post(after, Buffer.from('firmware'))).toMatchObject({ status: 200 });
    expect(await control('GET', '/snapshot')).toMatchObject({
      uploads: [
        { key: before.key, state: 'purged', purgeReason: 'unclaimed' },
        { key: after.key, state: 'stored' },
      ],
    });
    expect(await control('POST', '/reset')).toMatchObject({ uploads: [], packages: [] });
    expect(await gateway.stop()).toBe(0);
  });

  it('is off by default', async () => {
    const gateway = await startBuiltGateway(folder.path);
    const response = await fetch(`${gateway.url}/_gateway/test/clock`);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('--test-mode');
    await gateway.stop();
  });

  it('needs a second switch on an address that is not loopback', async () => {
    const flags = ['serve', '--host', '0.0.0.0', '--data-dir', folder.path, '--test-mode'];
    const refused = await runCli(flags);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--test-mode: 0.0.0.0 is not a loopback address');
    expect(refused.stderr).toContain('OTA_GATEWAY_TEST_MODE_REMOTE');
    const shown = await runCli(['show-config', ...flags.slice(1), '--test-mode-remote']);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toMatch(/OTA_GATEWAY_TEST_MODE_REMOTE *= *(on|true)/);
  });
});

describe('a repeatable gateway', () => {
  const folder = folderForSuite();
  // No keys and no quotas of the environment: the defaults are tested.
  const repeatable = {
    OTA_GATEWAY_TEST_MODE: 'on',
    OTA_GATEWAY_TEST_IDS: 'on',
    OTA_GATEWAY_TEST_CLOCK: '2024-01-01T00:00:00Z',
    ...Object.fromEntries(
      [
        'ACCESS_KEY_ID',
        'ACCESS_KEY_SECRET',
        'OSS_ACCESS_KEY_ID',
        'OSS_ACCESS_KEY_SECRET',
        'QPS',
      ].map((name) => [`OTA_GATEWAY_${name}`, '']),
    ),
  };

  /** @returns the grants and the snapshot of a new gateway */
  async function run(dataDir: string): Promise<object> {
    const gateway = await startBuiltGateway(dataDir, repeatable);
    try {
      const control = async (path: string, body?: object) => {
        const init = body && { method: 'POST', body: JSON.stringify(body) };
        const response = await fetch(`${gateway.url}/_gateway/test${path}`, init);
        const answer: { fields?: unknown } = JSON.parse(await response.text());
        return answer;
      };
      const { fields } = await control('/grants', {});
      await control('/seed', { state: 'claimed' });
      const reset = async (): Promise<unknown> => {
        await control('/clock/advance', { days: 1 });
        return control('/reset', {});
      };
      return { fields, snapshot: await control('/snapshot'), reset: await reset() };
    } finally {
      await gateway.stop();
    }
  }

  it('has the same snapshot in every run, and its clock goes back to its start by a reset', async () => {
    const one = await run(join(folder.path, 'one'));
    expect(one).toMatchObject({
      fields: { OSSAccessKeyId: 'bucketid', key: expect.stringMatching(/0{15}1\.bin$/) },
      snapshot: {
        time: '2024-01-01T00:00:00.000Z',
        packages: [{ firmwareId: '1'.padStart(26, '0') }],
      },
      reset: { time: '2024-01-01T00:00:00.000Z', uploads: [], packages: [] },
    });
    expect(await run(join(folder.path, 'two'))).toEqual(one);
  });

  it('has no quotas', async () => {
    const gateway = await startBuiltGateway(join(folder.path, 'three'), repeatable);
    const calls = Array.from({ length: 30 }, () => grantFrom(gateway.url));
    expect(new Set((await Promise.all(calls)).map(({ key }) => key)).size).toBe(30);
    await gateway.stop();

    const again = await runCli(['serve', '--data-dir', join(folder.path, 'three')], repeatable);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('the data folder has uploads from before');
  });
});

describe('serve --ready-file', () => {
  const folder = folderForSuite();

  it('writes what a client needs, for the owner only, and removes it when it stops', async () => {
    const readyFile = join(folder.path, 'ready.json');
    const environment = { OTA_GATEWAY_TEST_MODE: 'on', OTA_GATEWAY_READY_FILE: readyFile };
    const gateway = await startBuiltGateway(join(folder.path, 'data'), environment);
    await eventually(() => gateway.output().includes('Try it'));
    expect(JSON.parse(await readFile(readyFile, 'utf8'))).toEqual({
      url: gateway.url,
      region: 'cn-shanghai',
      accessKeyId: 'testid',
      accessKeySecret: 'testsecret',
      bucket: 'iotx-ota',
      ossAccessKeyId: 'bucketid',
      testControls: `${gateway.url}/_gateway/test`,
      pid: gateway.pid,
    });
    expect((await stat(readyFile)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder.path)).sort()).toEqual(['data', 'ready.json']);
    expect(gateway.output()).not.toContain('secret');
    expect(await gateway.stop()).toBe(0);
    expect(await readdir(folder.path)).toEqual(['data']);
  });

  it('stops the start when it cannot be written', async () => {
    const readyFile = join(folder.path, 'none', 'ready.json');
    const flags = ['--port', '0', '--data-dir', join(folder.path, 'other')];
    const refused = await runCli(['serve', ...flags, '--ready-file', readyFile]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^--ready-file: .* cannot be written \(there is no such file or folder \(ENOENT\)\): .*\. Choose another path$/m,
    );
  });
});
