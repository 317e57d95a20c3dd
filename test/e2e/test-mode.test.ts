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
    expect(refused.stderr).toContain('OTA_GATEWAY_TEST_MODE: 0.0.0.0 is not a loopback address');
    expect(refused.stderr).toContain('OTA_GATEWAY_TEST_MODE_REMOTE');
    const shown = await runCli(['show-config', ...flags.slice(1), '--test-mode-remote']);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toMatch(/OTA_GATEWAY_TEST_MODE_REMOTE *= *(on|true)/);
  });
});
