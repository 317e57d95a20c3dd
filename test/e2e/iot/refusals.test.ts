import { startWithAccounts } from '../../support/accounts.ts';
import type { SdkCaller, SdkParameters } from '../../support/sdk-clients.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import type { Refusal } from '../../support/sdk-families.ts';
import { outcomeOf } from '../../support/sdk-families.ts';
import { gatewayForSuite } from '../../support/suite.ts';

const GOOD = { id: 'good', secret: 'goodsecret' };
const DISABLED = { id: 'disabled', secret: 'disabledsecret' };
const TEMPORARY = { id: 'STS.good', secret: 'stssecret', securityToken: 'right-token' };
const ENDED = { id: 'STS.ended', secret: 'endedsecret', securityToken: 'ended-token' };
const ACCOUNT = {
  id: 'one',
  accessKeys: [
    GOOD,
    { ...DISABLED, disabled: true },
    TEMPORARY,
    { ...ENDED, expiresAt: Date.UTC(2020, 0, 1) },
  ],
  instances: ['iot-e2e'],
};

const INSTANCE = { IotInstanceId: 'iot-e2e' };
const NO_PACKAGE = 'none0000000000000000000100';
const NO_FILE = 'http://127.0.0.1/ota/none.bin';

type BusinessCase = [
  action: string,
  code: string,
  parameters: SdkParameters,
  message: string | RegExp,
];

/** One of each operation, and one of each family of codes. */
const BUSINESS_CASES: BusinessCase[] = [
  [
    'GenerateOTAUploadURL',
    'iot.firmware.InvalidGenerateOTAUploadURLParam',
    { ...INSTANCE, FileSuffix: 'exe' },
    'FileSuffix is invalid: it must be one of bin, dav, apk, tar, gz, tar.gz, zip, gzip, but is "exe".',
  ],
  [
    'GenerateOTAUploadURL',
    'iot.system.InstanceNotFound',
    { IotInstanceId: 'iot-else' },
    'The instance does not exist. IotInstanceId must be one of iot-e2e, but is "iot-else".',
  ],
  [
    'CreateOTAFirmware',
    'iot.firmware.IncorrectFormattedFirmwareName',
    { ...INSTANCE, FirmwareName: '-no', DestVersion: '1', FirmwareUrl: NO_FILE },
    /FirmwareName is malformed: it must be 1 to 40 .* beginning with a letter or digit, but is "-no"\./,
  ],
  [
    'CreateOTAFirmware',
    'iot.firmware.InvalidFirmwareUrl',
    { ...INSTANCE, FirmwareName: 'name', DestVersion: '1', FirmwareUrl: NO_FILE },
    'FirmwareUrl is not the URL of a file for a firmware package: no such URL was issued to this account.',
  ],
  [
    'CreateOTAFirmware',
    'iot.firmware.ParameterSizeExceedMax',
    {
      ...INSTANCE,
      FirmwareName: 'name',
      DestVersion: '1',
      MultiFiles: Array.from({ length: 21 }, (_, index) => ({
        Name: String(index),
        Url: `${NO_FILE}?${String(index)}`,
      })),
    },
    /MultiFiles is too long: it may have at most 20 files, but there is "MultiFiles\.21\.\w+"\./,
  ],
  [
    'CreateOTAFirmware',
    'iot.prod.InvalidFormattedProductkey',
    { ...INSTANCE, FirmwareName: 'name', DestVersion: '1', FirmwareUrl: NO_FILE, ProductKey: '?' },
    'ProductKey is malformed: it must be 1 to 64 letters or digits, but is "?".',
  ],
  [
    'QueryOTAFirmware',
    'iot.firmware.FirmwareNotFound',
    { ...INSTANCE, FirmwareId: NO_PACKAGE },
    `The firmware package ${NO_PACKAGE} does not exist.`,
  ],
  [
    'ListOTAFirmware',
    'iot.common.InvalidPageParams',
    { ...INSTANCE, CurrentPage: 0, PageSize: 10 },
    'The page is invalid: CurrentPage must be an integer from 1 to 2147483647, but is "0".',
  ],
  [
    'ModifyOTAFirmware',
    'iot.ota.FirmwareNotFound',
    { ...INSTANCE, FirmwareId: NO_PACKAGE, ProductKey: 'pk' },
    `The specified firmware does not exist. FirmwareId was ${NO_PACKAGE}.`,
  ],
  [
    'DeleteOTAFirmware',
    'iot.firmware.InvalidFirmwareId',
    { ...INSTANCE, FirmwareId: '-' },
    'FirmwareId is malformed: it must be 1 to 64 letters or digits, but is "-".',
  ],
];

interface GatewayCase extends Refusal {
  readonly why: string;
  readonly action: string;
  readonly key: SdkCaller['key'];
}

const SIGN = 'GenerateOTAUploadURL';
const GATEWAY_CASES: GatewayCase[] = [
  {
    why: 'an unknown access key',
    action: SIGN,
    key: { ...GOOD, id: 'nobody' },
    code: 'InvalidAccessKeyId.NotFound',
    status: 404,
    message: 'Specified access key is not found.',
  },
  {
    why: 'a disabled access key',
    action: SIGN,
    key: DISABLED,
    code: 'InvalidAccessKeyId.Inactive',
    status: 400,
    message: 'Specified access key is disabled.',
  },
  {
    why: 'a wrong secret',
    action: SIGN,
    key: { ...GOOD, secret: 'wrong' },
    code: 'SignatureDoesNotMatch',
    status: 400,
    message:
      /Specified signature is not matched with our calculation\. server string to sign is:(GET&%2F&AccessKeyId%3Dgood%26|POST&%2F&AccessKeyId%3Dgood%26|ACS3-HMAC-SHA256\n[0-9a-f]{64})[^ ]*/,
  },
  {
    why: 'a temporary access key without its token',
    action: SIGN,
    key: { id: TEMPORARY.id, secret: TEMPORARY.secret },
    code: 'MissingSecurityToken',
    status: 400,
    message: 'SecurityToken is mandatory for this action.',
  },
  {
    why: 'a temporary access key with the token of another',
    action: SIGN,
    key: { ...TEMPORARY, securityToken: ENDED.securityToken },
    code: 'InvalidSecurityToken.MismatchWithAccessKey',
    status: 400,
    message:
      'Specified SecurityToken mismatch with the AccessKey. Send the token that was issued together with this key.',
  },
  {
    why: 'an expired temporary access key',
    action: SIGN,
    key: ENDED,
    code: 'InvalidSecurityToken.Expired',
    status: 400,
    message: 'Specified SecurityToken is expired. It has expired at 2020-01-01T00:00:00.000Z.',
  },
  {
    why: 'a missing mandatory parameter',
    action: 'CreateOTAFirmware',
    key: GOOD,
    code: 'MissingFirmwareName',
    status: 400,
    message: 'FirmwareName is mandatory for this action.',
  },
  {
    why: 'an unknown operation',
    action: 'CreateOTAModule',
    key: GOOD,
    code: 'InvalidAction.NotFound',
    status: 404,
    message:
      'Specified api is not found, please check your url and method. There is no "CreateOTAModule"; there are ' +
      'GenerateOTAUploadURL, CreateOTAFirmware, QueryOTAFirmware, ListOTAFirmware, ModifyOTAFirmware, DeleteOTAFirmware.',
  },
];

describe('refusals, as real clients report them', () => {
  const gateway = gatewayForSuite((folder) =>
    startWithAccounts(folder, [ACCOUNT], { OTA_GATEWAY_LOG_LEVEL: 'debug' }),
  );

  afterAll(() => {
    for (const { secret, ...rest } of ACCOUNT.accessKeys) {
      expect(gateway.output()).not.toContain(secret);
      if ('securityToken' in rest) expect(gateway.output()).not.toContain(rest.securityToken);
    }
  });

  describe.each(SDK_CLIENTS)('$name', (sdk) => {
    const known = BUSINESS_CASES.filter(([action]) => sdk.has(action));

    it.each(known)('reports that %s refuses with %s', async (action, code, parameters, message) => {
      for (const key of [GOOD, TEMPORARY]) {
        const call = sdk.call({ url: gateway.url, key }, action, parameters);
        const expected = sdk.family.refusedByOperation({ code, message });
        expect(await outcomeOf(call)).toMatchObject(expected);
      }
    });

    it.each(GATEWAY_CASES)(
      'reports that $why is refused with $code',
      async ({ action, key, ...refusal }) => {
        const call = sdk.call({ url: gateway.url, key }, action);
        const expected = sdk.family.refusedByGateway(refusal);
        expect(await outcomeOf(call)).toMatchObject(expected);
      },
    );
  });
});

describe('throttling, as real clients report it', () => {
  const accounts = SDK_CLIENTS.map((sdk, index) => {
    const key = { id: `key${String(index)}`, secret: 'secret' };
    return { sdk, name: sdk.name, id: `account${String(index)}`, accessKeys: [key], key };
  });

  const gateway = gatewayForSuite((folder) => {
    const written = accounts.map(({ accessKeys, id }) => ({ id, accessKeys }));
    return startWithAccounts(folder, written, { OTA_GATEWAY_QPS: '1' });
  });

  it.each(accounts)('is reported by $name', async ({ key, sdk }) => {
    // One call per second is allowed, so at least one of several is refused, even on a slow machine.
    const calls = Array.from({ length: 4 }, () => sdk.call({ url: gateway.url, key }, SIGN));
    const outcomes = await Promise.all(calls.map(outcomeOf));
    const refused = outcomes.filter((outcome) => 'thrown' in outcome);
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) expect(outcome).toMatchObject(sdk.family.throttled());
  });
});
