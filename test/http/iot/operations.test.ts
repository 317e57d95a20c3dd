import { LedgerUnavailable, StoreUnavailable } from '../../../src/uploads/unavailable.ts';
import { createHash } from 'node:crypto';
import request from 'supertest';
import type { Response } from 'supertest';
import type { Account } from '../../../src/accounts/accounts.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import type { UploadLedger } from '../../../src/uploads/ports.ts';
import { HOST, call, createPackage, getV1, upload } from './api.ts';
import type { Parameters } from './api.ts';
import { openRecords, startTestGateway } from '../../support/gateways.ts';

const owner = { id: 'owner', secret: 'ownersecret' };
const stranger = { id: 'stranger', secret: 'strangersecret' };
const tenant = { id: 'tenant', secret: 'tenantsecret' };
const INSTANCE = 'iot-cn-0pp1n8t0001';
const accounts: Account[] = [
  { id: 'owners', accessKeys: [owner] },
  { id: 'strangers', accessKeys: [stranger] },
  {
    id: 'tenants',
    accessKeys: [tenant],
    instances: [INSTANCE, 'iot-cn-other'],
    products: [{ key: 'a1uctKe0001', name: 'Lamp' }],
  },
];
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ parts: { accounts } });
});
afterAll(() => gateway.close());

const asOwner = (action: string, parameters: Parameters = {}): Promise<Response> =>
  call(gateway, action, parameters, owner);
const asTenant = (action: string, parameters: Parameters = {}): Promise<Response> =>
  call(gateway, action, parameters, tenant);

describe('GenerateOTAUploadURL', () => {
  it('returns everything that an upload needs', async () => {
    const { body } = await asOwner('GenerateOTAUploadURL');
    expect(body).toEqual({
      Data: {
        Key: expect.stringMatching(/^ota\/[0-9a-f]{32}\/c[0-9a-z]{24}\.bin$/),
        Host: `http://${HOST}`,
        Policy: expect.stringMatching(/^eyJleHBpcmF/),
        OSSAccessKeyId: 'bucketid',
        ObjectStorage: 'OSS',
        UtcCreate: new Date(gateway.clock.now()).toISOString(),
        Signature: expect.stringMatching(/^[A-Za-z0-9+/]{27}=$/),
        FirmwareUrl: `http://${HOST}/${String(body.Data.Key)}`,
      },
      RequestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
      Success: true,
    });
  });

  it.each(['bin', 'dav', 'apk', 'tar', 'gz', 'tar.gz', 'zip', 'gzip'])(
    'FileSuffix %s',
    async (FileSuffix) => {
      const { body } = await asOwner('GenerateOTAUploadURL', { FileSuffix });
      expect(body.Data.Key.endsWith(`.${FileSuffix}`)).toBe(true);
    },
  );

  it.each(['exe', 'BIN', '.bin', 'tar.xz', 'pack', 'undefined'])(
    'FileSuffix %s is refused',
    async (FileSuffix) => {
      const { body, status } = await asOwner('GenerateOTAUploadURL', { FileSuffix });
      expect(status).toBe(200);
      expect(body).toEqual({
        RequestId: expect.any(String),
        Success: false,
        Code: 'iot.firmware.InvalidGenerateOTAUploadURLParam',
        ErrorMessage: `FileSuffix is invalid: it must be one of bin, dav, apk, tar, gz, tar.gz, zip, gzip, but is "${FileSuffix}".`,
      });
    },
  );

  it('takes an empty FileSuffix for the default', async () => {
    const { body } = await asOwner('GenerateOTAUploadURL', { FileSuffix: '' });
    expect(body.Data.Key).toMatch(/\.bin$/);
  });

  it('gives the same folder for the same account and instance', async () => {
    const folder = async (parameters: Parameters): Promise<string> => {
      const { body } = await asOwner('GenerateOTAUploadURL', parameters);
      return body.Data.Key.split('/')[1];
    };
    const one = await folder({});
    expect(await folder({})).toBe(one);
    expect(await folder({ IotInstanceId: INSTANCE })).not.toBe(one);
  });

  it('returns a configured public URL as the Host', async () => {
    const other = await startTestGateway({ publicUrl: 'https://ota.example.com/' });
    const { body } = await call(other, 'GenerateOTAUploadURL');
    expect(body.Data.Host).toBe('https://ota.example.com');
    expect(body.Data.FirmwareUrl).toBe(`https://ota.example.com/${String(body.Data.Key)}`);
    await other.close();
  });
});

describe('IotInstanceId', () => {
  it.each([INSTANCE, 'iot-cn-other'])('may be one of the account: %s', async (IotInstanceId) => {
    const { body } = await asTenant('GenerateOTAUploadURL', { IotInstanceId });
    expect(body.Success).toBe(true);
  });

  it.each<[Parameters]>([[{}], [{ IotInstanceId: '' }], [{ IotInstanceId: 'iot-cn-nowhere' }]])(
    'must be one of the account: %p',
    async (parameters) => {
      const { body } = await asTenant('GenerateOTAUploadURL', parameters);
      expect(body.Code).toBe('iot.system.InstanceNotFound');
      expect(body.ErrorMessage).toContain(INSTANCE);
    },
  );

  it('may be any text of up to 256 characters when the account lists no instances', async () => {
    const { body } = await asOwner('GenerateOTAUploadURL', { IotInstanceId: 'any thing' });
    expect(body.Success).toBe(true);
    const long = await asOwner('GenerateOTAUploadURL', { IotInstanceId: 'x'.repeat(257) });
    expect(long.body.Code).toBe('iot.check.ParameterIsNotLessThanMax');
  });

  it('finds a package only in its own instance', async () => {
    const FirmwareId = await createPackage(gateway, { IotInstanceId: INSTANCE }, tenant);
    const here = await asTenant('QueryOTAFirmware', { FirmwareId, IotInstanceId: INSTANCE });
    expect(here.body.Success).toBe(true);
    for (const action of ['QueryOTAFirmware', 'DeleteOTAFirmware']) {
      const there = await asTenant(action, { FirmwareId, IotInstanceId: 'iot-cn-other' });
      expect(there.body.Code).toBe('iot.firmware.FirmwareNotFound');
    }
  });
});

describe('QueryOTAFirmware', () => {
  it('returns everything about a package of one file', async () => {
    const bytes = 'firmware bytes';
    const FirmwareUrl = await upload(gateway, bytes, { IotInstanceId: INSTANCE }, tenant);
    const FirmwareId = await createPackage(
      gateway,
      {
        FirmwareName: '固件-1',
        DestVersion: '2.0.0',
        SrcVersion: '1.0.0',
        Type: 1,
        FirmwareUrl,
        FirmwareDesc: 'a & b',
        ProductKey: 'a1uctKe0001',
        ModuleName: 'MCU',
        NeedToVerify: false,
        Udi: '{"k":"v"}',
        IotInstanceId: INSTANCE,
      },
      tenant,
    );
    const { body } = await asTenant('QueryOTAFirmware', { FirmwareId, IotInstanceId: INSTANCE });
    const now = new Date(gateway.clock.now()).toISOString();
    expect(Object.keys(body)).toEqual(['RequestId', 'FirmwareInfo', 'Success']);
    expect(body.FirmwareInfo).toEqual({
      SrcVersion: '1.0.0',
      FirmwareSign: createHash('md5').update(bytes).digest('hex'),
      ProductKey: 'a1uctKe0001',
      Type: 1,
      UtcModified: now,
      SignMethod: 'MD5',
      UtcCreate: now,
      FirmwareSize: bytes.length,
      Status: -1,
      FirmwareId,
      FirmwareDesc: 'a & b',
      FirmwareUrl: expect.stringContaining(`${FirmwareUrl}?Expires=`),
      DestVersion: '2.0.0',
      ProductName: 'Lamp',
      FirmwareName: '固件-1',
      ModuleName: 'MCU',
      VerifyProgress: 0,
      Udi: '{"k":"v"}',
    });
  });

  it('responds in the order of the page', async () => {
    const FirmwareId = await createPackage(gateway, {}, owner);
    const { body } = await asOwner('QueryOTAFirmware', { FirmwareId });
    expect(Object.keys(body.FirmwareInfo)).toEqual(
      (
        'SrcVersion FirmwareSign ProductKey Type UtcModified SignMethod UtcCreate FirmwareSize ' +
        'Status FirmwareId FirmwareDesc FirmwareUrl DestVersion ProductName FirmwareName ' +
        'ModuleName VerifyProgress'
      ).split(' '),
    );
    expect(body.FirmwareInfo).toMatchObject({
      SrcVersion: '',
      FirmwareDesc: '',
      ModuleName: 'default',
    });
  });

  it('returns SrcVersion for a differential package only', async () => {
    const FirmwareId = await createPackage(gateway, { Type: 0, SrcVersion: '0.9' }, owner);
    const { body } = await asOwner('QueryOTAFirmware', { FirmwareId });
    expect(body.FirmwareInfo).toMatchObject({ Type: 0, SrcVersion: '' });
  });

  it('returns a FirmwareUrl that can be downloaded for 24 hours', async () => {
    const FirmwareUrl = await upload(gateway, 'to download', {}, owner);
    const FirmwareId = await createPackage(gateway, { FirmwareUrl }, owner);
    const { body } = await asOwner('QueryOTAFirmware', { FirmwareId });
    const url = new URL(body.FirmwareInfo.FirmwareUrl);
    const expires = Number(url.searchParams.get('Expires'));
    expect(expires).toBe(Math.floor(gateway.clock.now() / 1000) + 86_400);
    expect(url.searchParams.get('OSSAccessKeyId')).toBe('bucketid');
    const response = await request(gateway.app)
      .get(url.pathname + url.search)
      .responseType('blob');
    expect([response.status, String(response.body)]).toEqual([200, 'to download']);
  });

  it('writes the signed URL as CDATA in XML', async () => {
    const FirmwareId = await createPackage(gateway, {}, owner);
    const options = { key: owner, time: gateway.clock.now(), common: { Format: 'XML' } };
    const { text } = await getV1(gateway.app, 'QueryOTAFirmware', { FirmwareId }, options);
    expect(text).toMatch(
      /<FirmwareUrl><!\[CDATA\[http:\/\/[^\]]+&Signature=[^\]]+\]\]><\/FirmwareUrl>/,
    );
  });

  it('returns the files of a package of several', async () => {
    const urls = [
      await upload(gateway, 'one', {}, owner),
      await upload(gateway, 'second', {}, owner),
    ];
    const created = await asOwner('CreateOTAFirmware', {
      FirmwareName: 'several',
      DestVersion: '1',
      'MultiFiles.1.Name': 'one.bin',
      'MultiFiles.1.Url': urls[0] ?? '',
      'MultiFiles.2.Name': 'two.bin',
      'MultiFiles.2.Url': urls[1] ?? '',
    });
    const { FirmwareId } = created.body.Data;
    const { body } = await asOwner('QueryOTAFirmware', { FirmwareId });
    const { FirmwareInfo: info } = body;
    expect(info).not.toHaveProperty('FirmwareUrl');
    expect(info).not.toHaveProperty('FirmwareSign');
    expect(info).not.toHaveProperty('FirmwareSize');
    const md5 = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(info.MultiFiles).toEqual([
      {
        Name: 'one.bin',
        Size: 3,
        Url: expect.stringContaining('?Expires='),
        SignValue: md5,
        FileMd5: md5,
      },
      {
        Name: 'two.bin',
        Size: 6,
        Url: expect.stringContaining('?Expires='),
        SignValue: md5,
        FileMd5: md5,
      },
    ]);
    const options = { key: owner, time: gateway.clock.now(), common: { Format: 'XML' } };
    const { text } = await getV1(gateway.app, 'QueryOTAFirmware', { FirmwareId }, options);
    expect(text).toMatch(
      /<MultiFiles><Name>one.bin<\/Name>.*<\/MultiFiles><MultiFiles><Name>two.bin/,
    );
  });
});

describe('FirmwareId', () => {
  it.each([
    ['QueryOTAFirmware', 'iot.firmware.FirmwareNotFound'],
    ['DeleteOTAFirmware', 'iot.firmware.FirmwareNotFound'],
    ['ModifyOTAFirmware', 'iot.ota.FirmwareNotFound'],
  ])('is checked by %s', async (action, notFound) => {
    const product = { ProductKey: 'a1b2' };
    const codeOf = async (parameters: Parameters): Promise<string | undefined> =>
      (await asOwner(action, { ...product, ...parameters })).body.Code;
    const foreign = await createPackage(gateway, {}, stranger);
    expect(await codeOf({})).toBe('MissingFirmwareId');
    expect(await codeOf({ FirmwareId: '' })).toBe('iot.firmware.NullFirmwareId');
    expect(await codeOf({ FirmwareId: 'a b' })).toBe('iot.firmware.InvalidFirmwareId');
    expect(await codeOf({ FirmwareId: 'x'.repeat(65) })).toBe('iot.firmware.InvalidFirmwareId');
    expect(await codeOf({ FirmwareId: 'UfuxnwygsuSkVE0VCN00000100' })).toBe(notFound);
    expect(await codeOf({ FirmwareId: foreign })).toBe(notFound);
  });
});

describe('DeleteOTAFirmware', () => {
  it('removes the package and its file', async () => {
    const FirmwareUrl = await upload(gateway, 'to delete', {}, owner);
    const FirmwareId = await createPackage(
      gateway,
      { FirmwareName: 'shortlived', FirmwareUrl },
      owner,
    );
    const { body } = await asOwner('DeleteOTAFirmware', { FirmwareId });
    expect(body).toEqual({ RequestId: expect.any(String), Success: true });
    const again = await asOwner('DeleteOTAFirmware', { FirmwareId });
    expect(again.body.Code).toBe('iot.firmware.FirmwareNotFound');
    const reuse = await asOwner('CreateOTAFirmware', {
      FirmwareName: 'shortlived',
      DestVersion: '1',
      FirmwareUrl,
    });
    expect(reuse.body.Code).toBe('iot.firmware.InvalidFirmwareUrl');
    expect(reuse.body.ErrorMessage).toContain('purged');
    expect(reuse.body.ErrorMessage).toContain('deleted');
  });
});

describe('ModifyOTAFirmware', () => {
  const ProductKey = 'a1uctKe0002';

  it('changes only the given members', async () => {
    const FirmwareId = await createPackage(gateway, { ProductKey, FirmwareDesc: 'old' }, owner);
    const query = async () => (await asOwner('QueryOTAFirmware', { FirmwareId })).body.FirmwareInfo;
    const before = await query();
    gateway.clock.advance({ seconds: 1 });
    const changed = await asOwner('ModifyOTAFirmware', {
      FirmwareId,
      ProductKey,
      FirmwareName: 'modified',
      FirmwareUdi: 'udi',
    });
    expect(changed.body).toEqual({ RequestId: expect.any(String), Success: true });
    const after = await query();
    expect(after).toMatchObject({
      ...before,
      FirmwareUrl: after.FirmwareUrl,
      FirmwareName: 'modified',
      Udi: 'udi',
      UtcModified: new Date(gateway.clock.now()).toISOString(),
    });
    await asOwner('ModifyOTAFirmware', { FirmwareId, ProductKey, FirmwareDesc: '' });
    expect((await query()).FirmwareDesc).toBe('');
  });

  it.each<[Parameters, string]>([
    [{ FirmwareName: '' }, 'iot.firmware.NullFirmwareName'],
    [{ FirmwareName: ' ' }, 'iot.firmware.BlankFirmwareName'],
    [{ FirmwareName: '-x' }, 'iot.firmware.IncorrectFormattedFirmwareName'],
    [{ FirmwareName: 'occupied' }, 'iot.firmware.AlreadyExistedFirmwareName'],
    [{ FirmwareDesc: 'x'.repeat(101) }, 'iot.firmware.FirmwareDescriptionExceedMaxLength'],
    [{ FirmwareUdi: 'x'.repeat(4097) }, 'iot.check.ParameterIsNotLessThanMax'],
    [{ ProductKey: '' }, 'iot.prod.NullProductKey'],
    [{ ProductKey: 'a b' }, 'iot.prod.InvalidFormattedProductkey'],
    [{ ProductKey: 'another' }, 'iot.firmware.FirmwareAndProductKeyMismatch'],
  ])('refuses %p with %s', async (wrong, code) => {
    if (wrong['FirmwareName'] === 'occupied') {
      await createPackage(gateway, { FirmwareName: 'occupied' }, owner);
    }
    const FirmwareId = await createPackage(gateway, { ProductKey }, owner);
    const { body, status } = await asOwner('ModifyOTAFirmware', {
      FirmwareId,
      ProductKey,
      ...wrong,
    });
    expect([status, body.Success, body.Code]).toEqual([200, false, code]);
  });

  it('requires ProductKey', async () => {
    const { body } = await asOwner('ModifyOTAFirmware', { FirmwareId: 'x' });
    expect(body.Code).toBe('MissingProductKey');
  });
});

describe('ListOTAFirmware', () => {
  let lists: TestGateway;
  const list = (parameters: Parameters = {}): Promise<Response> =>
    call(lists, 'ListOTAFirmware', { CurrentPage: 1, PageSize: 2, ...parameters });
  const names = ({ body }: Response): string[] =>
    body.FirmwareInfo.SimpleFirmwareInfo.map((each: { FirmwareName: string }) => each.FirmwareName);

  beforeAll(async () => {
    lists = await startTestGateway();
    await createPackage(lists, { FirmwareName: 'one', DestVersion: '1', ProductKey: 'lamp' });
    lists.clock.advance({ seconds: 1 });
    await createPackage(lists, { FirmwareName: 'two', DestVersion: '2', ProductKey: 'lamp' });
    lists.clock.advance({ seconds: 1 });
    await createPackage(lists, { FirmwareName: 'three', DestVersion: '1', ProductKey: 'fan' });
  });
  afterAll(() => lists.close());

  it('returns pages, newest first', async () => {
    const first = await list();
    expect(first.body).toMatchObject({
      PageCount: 2,
      PageSize: 2,
      CurrentPage: 1,
      Total: 3,
      Success: true,
    });
    expect(names(first)).toEqual(['three', 'two']);
    expect(names(await list({ CurrentPage: 2 }))).toEqual(['one']);
    const behind = await list({ CurrentPage: 3 });
    expect([behind.body.Total, names(behind)]).toEqual([3, []]);
  });

  it('has the fields of the model, and no FirmwareUrl', async () => {
    const { body } = await list({ PageSize: 1 });
    expect(body.FirmwareInfo.SimpleFirmwareInfo).toEqual([
      {
        FirmwareId: expect.stringMatching(/^[A-Za-z0-9]{26}$/),
        FirmwareName: 'three',
        FirmwareDesc: '',
        FirmwareSign: expect.stringMatching(/^[0-9a-f]{32}$/),
        FirmwareSize: expect.any(Number),
        DestVersion: '1',
        SrcVersion: '',
        ModuleName: 'default',
        ProductKey: 'fan',
        ProductName: '',
        SignMethod: 'MD5',
        Status: 0,
        Type: 0,
        UtcCreate: expect.stringMatching(ISO),
        UtcModified: expect.stringMatching(ISO),
      },
    ]);
  });

  it.each<[Parameters, string[]]>([
    [{ ProductKey: 'lamp' }, ['two', 'one']],
    [{ DestVersion: '1' }, ['three', 'one']],
    [{ DestVersion: '1', ProductKey: 'lamp' }, ['one']],
    [{ DestVersion: '3' }, []],
    [{ PageSize: 100 }, ['three', 'two', 'one']],
  ])('filters by %p', async (parameters, expected) => {
    expect(names(await list(parameters))).toEqual(expected);
  });

  it.each<[Parameters, string]>([
    [{ CurrentPage: 0 }, 'iot.common.InvalidPageParams'],
    [{ CurrentPage: 'x' }, 'iot.common.InvalidPageParams'],
    [{ CurrentPage: '' }, 'iot.common.InvalidPageParams'],
    [{ CurrentPage: 2 ** 31 }, 'iot.common.InvalidPageParams'],
    [{ PageSize: 0 }, 'iot.common.InvalidPageParams'],
    [{ PageSize: 101 }, 'iot.common.InvalidPageParams'],
    [{ PageSize: '1.5' }, 'iot.common.InvalidPageParams'],
    [{ ProductKey: 'a b' }, 'iot.prod.InvalidFormattedProductkey'],
    [{ DestVersion: 'a b' }, 'iot.firmware.IncorrectFormattedFirmwareVersion'],
  ])('refuses %p with %s', async (parameters, code) => {
    const { body } = await list(parameters);
    expect([body.Success, body.Code]).toEqual([false, code]);
  });

  it.each(['CurrentPage', 'PageSize'])('requires %s', async (name) => {
    const given = Object.entries({ CurrentPage: 1, PageSize: 1 });
    const parameters = Object.fromEntries(given.filter(([each]) => each !== name));
    const { body, status } = await call(lists, 'ListOTAFirmware', parameters);
    expect([status, body.Code]).toEqual([400, `Missing${name}`]);
  });

  it('rejects a product that the account does not list', async () => {
    const parameters = {
      CurrentPage: 1,
      PageSize: 1,
      IotInstanceId: INSTANCE,
      ProductKey: 'other',
    };
    const { body } = await asTenant('ListOTAFirmware', parameters);
    expect(body.Code).toBe('iot.prod.NotExistedProduct');
    expect(body.ErrorMessage).toContain('a1uctKe0001');
  });

  it('writes each package as an element in XML', async () => {
    const options = { key: lists.accessKey, time: lists.clock.now(), common: { Format: 'XML' } };
    const parameters = { CurrentPage: 1, PageSize: 2 };
    const { text } = await getV1(lists.app, 'ListOTAFirmware', parameters, options);
    expect(text).toMatch(
      /<ListOTAFirmwareResponse><PageCount>2<.*<FirmwareInfo><SimpleFirmwareInfo><FirmwareId>.*<\/SimpleFirmwareInfo><SimpleFirmwareInfo>.*<\/FirmwareInfo><CurrentPage>1<\/CurrentPage><Success>true<\/Success><Total>3<\/Total><\/ListOTAFirmwareResponse>$/,
    );
  });
});

it('responds to a failure with 500 in the format of the caller, and writes the cause only to the log', async () => {
  const errors: object[] = [];
  const error = (details: object): void => void errors.push(details);
  const { ledger, nonces } = await openRecords();
  const cause = new Error('the disk is full');
  const failing = new Proxy(ledger, {
    get: (target, name: keyof UploadLedger) =>
      name === 'recordIssued' ? () => Promise.reject(cause) : target[name]?.bind(target),
  });
  const broken = await startTestGateway({
    parts: { records: { ledger: failing, nonces }, logger: { ...silentLogger, error } },
  });
  const options = { key: broken.accessKey, time: broken.clock.now() };
  const action = 'GenerateOTAUploadURL';
  const json = await getV1(broken.app, action, {}, options);
  const xml = await getV1(broken.app, action, {}, { ...options, common: { Format: 'XML' } });
  await broken.close();
  expect([json.status, json.body.Code]).toEqual([500, 'InternalError']);
  expect(json.body.Message).toBe(
    'The request processing has failed due to some unknown error, exception or failure.',
  );
  expect([xml.status, xml.headers['content-type']]).toEqual([500, 'text/xml;charset=utf-8']);
  expect(xml.text).toContain('<Code>InternalError</Code>');
  expect(json.text + xml.text).not.toContain('disk');
  expect(errors).toMatchObject([
    { requestId: json.body.RequestId, err: cause },
    { requestId: xml.headers['x-acs-request-id'], err: cause },
  ]);
});

it.each([
  ['the store of the bodies', new StoreUnavailable('the store does not answer')],
  ['the ledger', new LedgerUnavailable('the ledger does not answer')],
])('responds with 503 while %s does not answer', async (_, cause) => {
  const { ledger, nonces } = await openRecords();
  const failing = new Proxy(ledger, {
    get: (target, name: keyof UploadLedger) =>
      name === 'recordIssued' ? () => Promise.reject(cause) : target[name]?.bind(target),
  });
  const broken = await startTestGateway({ parts: { records: { ledger: failing, nonces } } });
  const options = { key: broken.accessKey, time: broken.clock.now() };
  const { body, status } = await getV1(broken.app, 'GenerateOTAUploadURL', {}, options);
  await broken.close();
  expect([status, body.Code]).toEqual([503, 'ServiceUnavailable']);
});
