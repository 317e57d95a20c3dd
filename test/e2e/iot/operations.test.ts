import { z } from 'zod';
import { startWithAccounts } from '../../support/accounts.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { BUCKET_KEY, bodiesOnDisk, temporaryFolder } from '../../support/built-gateway.ts';
import { md5Hex, patternBytes, sha256Hex } from '../../support/bytes.ts';
import type { SdkCaller, SdkParameters } from '../../support/sdk-clients.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { outcomeOf } from '../../support/sdk-families.ts';
import { createPackage, uploadFile } from '../../support/sdk-loop.ts';

const INSTANCE = { IotInstanceId: 'iot-e2e' };
const PRODUCT = { key: 'a1Lamp', name: 'Lamp <&> 灯' };

const packageResponse = z.object({ Data: z.object({ FirmwareId: z.string() }) });
const queryResponse = z.object({
  FirmwareInfo: z.object({
    FirmwareUrl: z.string().optional(),
    MultiFiles: z.array(z.object({ Url: z.string() })).optional(),
  }),
});

/** Downloads the only or the last file in a result of QueryOTAFirmware. */
async function download(queried: unknown): Promise<Buffer> {
  const { FirmwareUrl, MultiFiles } = queryResponse.parse(queried).FirmwareInfo;
  const response = await fetch(FirmwareUrl ?? MultiFiles?.at(-1)?.Url ?? '');
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

const REQUEST_ID = expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/) as unknown;
const UTC = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
const FIRMWARE_ID = expect.stringMatching(/^[A-Za-z0-9]{26}$/) as unknown;

/** Each client uses two accounts of its own: one with a permanent key, one with a temporary key. */
const ACCOUNTS = SDK_CLIENTS.flatMap((sdk, index) =>
  [undefined, 'CAIS/token+of=STS'].map((securityToken) => ({
    sdk,
    title: securityToken === undefined ? sdk.name : `${sdk.name}, STS token`,
    id: `account${String(index)}${securityToken === undefined ? '' : '-sts'}`,
    key: {
      id: `key${String(index)}${securityToken === undefined ? '' : '-sts'}`,
      secret: `secret-${String(index)}`,
      ...(securityToken !== undefined && {
        securityToken,
        expiresAt: Date.UTC(2099, 0, 1),
      }),
    },
  })),
);

/** The parameters of a package of one file that responses repeat; the texts need every kind of encoding. */
function singleFile(bytes: Buffer): Record<string, string | number> {
  return {
    FirmwareName: '固件_(v1)-カナ',
    DestVersion: '2.0.0',
    FirmwareSign: sha256Hex(bytes),
    SignMethod: 'SHA256',
    FirmwareSize: bytes.length,
    ProductKey: PRODUCT.key,
    FirmwareDesc: 'a+b c~d!\'()*&=%20"<ü>',
    Type: 1,
    SrcVersion: '1.9.9',
    ModuleName: 'MCU',
  };
}

const UDI = '{"a": [1, "é/\\"]}';

describe('the operations, called by real clients', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const accounts = ACCOUNTS.map(({ id, key }) => ({
      id,
      accessKeys: [key],
      instances: [INSTANCE.IotInstanceId],
      products: [PRODUCT],
    }));
    gateway = await startWithAccounts(folder.path, accounts);
  });

  afterAll(async () => {
    expect(await gateway.stop()).toBe(0);
    expect(await bodiesOnDisk(gateway.dataDir)).toMatchObject({ staging: [] });
    await folder.remove();
  });

  describe.each(ACCOUNTS)('$title', ({ key, sdk }) => {
    const caller = (): SdkCaller => ({ url: gateway.url, key });
    const call = (action: string, parameters: SdkParameters = {}): Promise<unknown> =>
      sdk.call(caller(), action, { ...parameters, ...INSTANCE });
    const upload = (bytes: Buffer): Promise<string> => uploadFile(sdk, caller(), bytes, INSTANCE);
    const create = (parameters: SdkParameters): Promise<string> =>
      createPackage(sdk, caller(), { ...parameters, ...INSTANCE });

    it('signs a form', async () => {
      const response = await call('GenerateOTAUploadURL', { FileSuffix: 'tar.gz' });
      const [object, host] = [/ota\/[0-9a-f]{32}\/c[0-9a-z]{24}\.tar\.gz$/, gateway.url];
      expect(response).toEqual({
        Data: {
          Key: expect.stringMatching(new RegExp(`^${object.source}`)) as unknown,
          Host: host,
          Policy: expect.stringMatching(/^eyJleHBpcmF0aW9uIjoi[\w+/]+=*$/) as unknown,
          OSSAccessKeyId: BUCKET_KEY.id,
          ObjectStorage: 'OSS',
          UtcCreate: UTC,
          Signature: expect.stringMatching(/^[\w+/]{27}=$/) as unknown,
          FirmwareUrl: expect.stringMatching(new RegExp(`^${host}/${object.source}`)) as unknown,
        },
        RequestId: REQUEST_ID,
        Success: true,
      });
    });

    it('creates, lists, queries, changes and deletes a package of one file', async () => {
      const bytes = Buffer.concat([patternBytes(70_001), Buffer.from(sdk.name)]);
      const FirmwareUrl = await upload(bytes);
      const parameters = singleFile(bytes);
      const created = await call('CreateOTAFirmware', {
        ...parameters,
        FirmwareUrl,
        NeedToVerify: false,
        Udi: UDI,
      });
      expect(created).toEqual({
        Data: { FirmwareId: FIRMWARE_ID, UtcCreate: UTC },
        RequestId: REQUEST_ID,
        Success: true,
      });

      const { FirmwareId } = packageResponse.parse(created).Data;

      const summary = {
        ...parameters,
        FirmwareId,
        ProductName: PRODUCT.name,
        Status: -1,
        UtcCreate: UTC,
        UtcModified: UTC,
      };
      expect(await call('ListOTAFirmware', { CurrentPage: 1, PageSize: 100 })).toEqual({
        PageCount: 1,
        PageSize: 100,
        RequestId: REQUEST_ID,
        FirmwareInfo: { SimpleFirmwareInfo: [summary] },
        CurrentPage: 1,
        Success: true,
        Total: 1,
      });

      const details = {
        ...summary,
        Udi: UDI,
        VerifyProgress: 0,
        FirmwareUrl: expect.stringContaining(`${FirmwareUrl}?Expires=`) as unknown,
      };
      const queried = await call('QueryOTAFirmware', { FirmwareId });
      expect(queried).toEqual({ RequestId: REQUEST_ID, FirmwareInfo: details, Success: true });
      expect(await download(queried)).toEqual(bytes);

      if (sdk.has('ModifyOTAFirmware')) {
        const change = { FirmwareName: '改名', FirmwareDesc: '', FirmwareUdi: 'a&b=c d' };
        const modify = { FirmwareId, ProductKey: PRODUCT.key, ...change };
        const success = { RequestId: REQUEST_ID, Success: true };
        expect(await call('ModifyOTAFirmware', modify)).toEqual(success);
        expect(await call('QueryOTAFirmware', { FirmwareId })).toMatchObject({
          FirmwareInfo: { ...details, FirmwareName: '改名', FirmwareDesc: '', Udi: 'a&b=c d' },
        });
      }

      const deleted = await call('DeleteOTAFirmware', { FirmwareId });
      expect(deleted).toEqual({ RequestId: REQUEST_ID, Success: true });
      expect(await outcomeOf(call('QueryOTAFirmware', { FirmwareId }))).toMatchObject(
        sdk.family.refusedByOperation({
          code: 'iot.firmware.FirmwareNotFound',
          message: `The firmware package ${FirmwareId} does not exist.`,
        }),
      );
    });

    // In a signature parameters are sorted by name, so 10 comes before 2.
    it('creates a package of eleven files, in their order', async () => {
      const files = Array.from({ length: 11 }, (_, index) => patternBytes(1000 + index));
      const urls: string[] = [];
      for (const bytes of files) urls.push(await upload(bytes));
      const FirmwareId = await create({
        FirmwareName: 'eleven',
        DestVersion: '3',
        ProductKey: PRODUCT.key,
        MultiFiles: files.map((bytes, index) => ({
          Name: `file ${String(index + 1)}.bin`,
          Url: urls[index] ?? '',
          Size: bytes.length,
          FileMd5: md5Hex(bytes),
          SignValue: md5Hex(bytes).toUpperCase(),
        })),
      });
      const queried = await call('QueryOTAFirmware', { FirmwareId });
      expect(queried).toEqual({
        RequestId: REQUEST_ID,
        FirmwareInfo: {
          FirmwareId,
          FirmwareName: 'eleven',
          FirmwareDesc: '',
          DestVersion: '3',
          SrcVersion: '',
          ModuleName: 'default',
          ProductKey: PRODUCT.key,
          ProductName: PRODUCT.name,
          SignMethod: 'MD5',
          Type: 0,
          Status: 0,
          VerifyProgress: 0,
          UtcCreate: UTC,
          UtcModified: UTC,
          MultiFiles: files.map((bytes, index) => ({
            Name: `file ${String(index + 1)}.bin`,
            Url: expect.stringContaining(`${urls[index] ?? ''}?Expires=`) as unknown,
            Size: bytes.length,
            FileMd5: md5Hex(bytes),
            SignValue: md5Hex(bytes),
          })),
        },
        Success: true,
      });
      expect(await download(queried)).toEqual(files.at(-1));
    });
  });
});
