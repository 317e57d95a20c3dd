import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../../../src/accounts/accounts.ts';
import { callApi } from '../../../src/client/api-client.ts';
import type { ApiParameters, UploadGrant } from '../../../src/client/api-client.ts';
import { generateOTAUploadURL } from '../../../src/client/api-client.ts';
import { accountsText, startWithAccounts } from '../../support/accounts.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, runCli } from '../../support/built-gateway.ts';
import { apiOf, codeOf, post } from '../../support/loop.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { folderForEachTest } from '../../support/suite.ts';

const ALICE = { id: 'alice', secret: 'alicesecret' };
const BOB = { id: 'bob', secret: 'bobsecret' };
const CAROL = { id: 'carol', secret: 'carolsecret' };
const DAVE = { id: 'dave', secret: 'davesecret' };

/** Two accounts: one with two RAM users, instances and products, one without. */
const ACCOUNTS: readonly Account[] = [
  {
    id: 'acme',
    accessKeys: [ALICE, BOB, { ...DAVE, disabled: true }],
    instances: ['iot-a', 'iot-b'],
    products: [{ key: 'a1Lamp', name: 'Lamp' }],
  },
  { id: 'globex', accessKeys: [CAROL] },
];

const A = { IotInstanceId: 'iot-a' };

type Key = typeof ALICE;

const folder = folderForEachTest();

function call(
  { url }: BuiltGateway,
  key: Key,
  action: string,
  parameters: ApiParameters = {},
): Promise<unknown> {
  return callApi(apiOf(url, key), action, parameters);
}

const sign = (gateway: BuiltGateway, key: Key, parameters: ApiParameters = {}): Promise<unknown> =>
  codeOf(call(gateway, key, 'GenerateOTAUploadURL', parameters));

async function upload(
  { url }: BuiltGateway,
  key: Key,
  parameters: { readonly IotInstanceId?: string } = {},
): Promise<UploadGrant> {
  const grant = await generateOTAUploadURL(apiOf(url, key), parameters);
  expect(await post(grant, Buffer.from('firmware'))).toMatchObject({ status: 200 });
  return grant;
}

describe('accounts of a file', () => {
  it('lets RAM users share the packages of their account, and hides them from other accounts', async () => {
    const gateway = await startWithAccounts(folder.path, ACCOUNTS);
    const grant = await upload(gateway, ALICE, A);
    const wanted = {
      FirmwareName: 'shared',
      DestVersion: '1',
      FirmwareUrl: grant.firmwareUrl,
      ProductKey: 'a1Lamp',
    };
    expect(await codeOf(call(gateway, CAROL, 'CreateOTAFirmware', wanted))).toBe(
      'iot.firmware.InvalidFirmwareUrl',
    );
    const created = await call(gateway, BOB, 'CreateOTAFirmware', { ...wanted, ...A });
    expect(created).toMatchObject({ Success: true });

    const page = { CurrentPage: 1, PageSize: 10 };
    expect(await call(gateway, ALICE, 'ListOTAFirmware', { ...page, ...A })).toMatchObject({
      Total: 1,
      FirmwareInfo: {
        SimpleFirmwareInfo: [{ FirmwareName: 'shared', ProductKey: 'a1Lamp', ProductName: 'Lamp' }],
      },
    });
    expect(await call(gateway, CAROL, 'ListOTAFirmware', page)).toMatchObject({ Total: 0 });
    const other = { ...page, IotInstanceId: 'iot-b' };
    expect(await call(gateway, ALICE, 'ListOTAFirmware', other)).toMatchObject({ Total: 0 });
    expect(await gateway.stop()).toBe(0);
  });

  it('limits an account to its instances, its products and its enabled keys', async () => {
    const gateway = await startWithAccounts(folder.path, ACCOUNTS);
    expect(await sign(gateway, DAVE, A)).toBe('InvalidAccessKeyId.Inactive');
    expect(await sign(gateway, ALICE)).toBe('iot.system.InstanceNotFound');
    expect(await sign(gateway, ALICE, { IotInstanceId: 'iot-c' })).toBe(
      'iot.system.InstanceNotFound',
    );
    expect(await sign(gateway, CAROL)).toBe('ok');
    expect(await sign(gateway, CAROL, { IotInstanceId: 'any' })).toBe('ok');
    const grant = await upload(gateway, ALICE, A);
    const wanted = {
      ...A,
      FirmwareName: 'unknown',
      DestVersion: '1',
      FirmwareUrl: grant.firmwareUrl,
      ProductKey: 'a1Other',
    };
    expect(await codeOf(call(gateway, ALICE, 'CreateOTAFirmware', wanted))).toBe(
      'iot.prod.NotExistedProduct',
    );
    expect(await gateway.stop()).toBe(0);
  });

  it('accepts a temporary key with its token until it expires', async () => {
    const key = { id: 'STS.short', secret: 'stssecret', securityToken: 'token' };
    const ends = { ...key, expiresAt: Date.now() + 3000 };
    const gateway = await startWithAccounts(folder.path, [{ id: 'acme', accessKeys: [ends] }]);
    const [sdk] = SDK_CLIENTS;
    const attempt = (): Promise<unknown> =>
      codeOf(sdk?.call({ url: gateway.url, key }, 'GenerateOTAUploadURL') ?? Promise.resolve());
    expect(await attempt()).toBe('ok');
    await eventually(async () => (await attempt()) === 'InvalidSecurityToken.Expired');
    expect(await gateway.stop()).toBe(0);
  });
});

describe('an invalid accounts file at the start', () => {
  const serve = (file: string): ReturnType<typeof runCli> =>
    runCli(['serve', '--port', '0', '--data-dir', join(folder.path, 'data')], {
      OTA_GATEWAY_ACCOUNTS_FILE: file,
    });

  it('is a configuration error that names every line and reason', async () => {
    const file = join(folder.path, 'accounts.json');
    const text = accountsText(ACCOUNTS)
      .replace('"bobsecret"', '"bob secret"')
      .replace('"iot-b"', '"iot-a"');
    await writeFile(file, text);
    const { code, stderr } = await serve(file);
    expect(stderr).toBe(
      `OTA_GATEWAY_ACCOUNTS_FILE: ${file}:12: accounts.0.accessKeys.1.secret: expected visible ASCII without spaces\n` +
        `OTA_GATEWAY_ACCOUNTS_FILE: ${file}:22: accounts.0.instances.1: instance of account acme iot-a is given at accounts.0.instances.0 already\n`,
    );
    expect(code).toBe(2);
  });

  it('is a configuration error when the file is missing', async () => {
    const file = join(folder.path, 'none.json');
    const { code, stderr } = await serve(file);
    expect(stderr).toMatch(/^OTA_GATEWAY_ACCOUNTS_FILE: .*none\.json cannot be read \(ENOENT.*\n$/);
    expect(code).toBe(2);
  });
});
