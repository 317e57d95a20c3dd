import { createHash } from 'node:crypto';
import request from 'supertest';
import type { Response } from 'supertest';
import type { Account } from '../../../src/accounts/accounts.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { HOST, call, createPackage, signV1, upload } from './api.ts';
import type { Parameters } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const owner = { id: 'owner', secret: 'ownersecret' };
const stranger = { id: 'stranger', secret: 'strangersecret' };
const maker = { id: 'maker', secret: 'makersecret' };
const accounts: Account[] = [
  { id: 'owners', accessKeys: [owner] },
  { id: 'strangers', accessKeys: [stranger] },
  { id: 'makers', accessKeys: [maker], products: [{ key: 'lamp', name: 'Lamp' }] },
];

const md5 = (bytes: string): string => createHash('md5').update(bytes).digest('hex');
const sha256 = (bytes: string): string => createHash('sha256').update(bytes).digest('hex');

let gateway: TestGateway;
let names = 0;

beforeAll(async () => {
  gateway = await startTestGateway({ parts: { accounts } });
});
afterAll(() => gateway.close());

/** Calls CreateOTAFirmware, with a new name and version unless they are given. */
async function create(parameters: Parameters, key = owner): Promise<Response> {
  names += 1;
  const wanted = { FirmwareName: `fw${names}`, DestVersion: `1.0.${names}`, ...parameters };
  return call(gateway, 'CreateOTAFirmware', wanted, key);
}

async function createOf(
  bytes: string,
  parameters: Parameters = {},
  key = owner,
): Promise<Response> {
  return create({ FirmwareUrl: await upload(gateway, bytes, {}, key), ...parameters }, key);
}

function refusal({ body, status }: Response): unknown[] {
  expect(Object.keys(body)).toEqual(['RequestId', 'Success', 'Code', 'ErrorMessage']);
  return [status, body.Success, body.Code];
}

it('returns the id of the package and the time of its creation', async () => {
  const { body } = await createOf('bytes');
  expect(Object.keys(body)).toEqual(['Data', 'RequestId', 'Success']);
  expect(body).toEqual({
    Data: {
      FirmwareId: expect.stringMatching(/^[A-Za-z0-9]{26}$/),
      UtcCreate: new Date(gateway.clock.now()).toISOString(),
    },
    RequestId: expect.any(String),
    Success: true,
  });
});

describe('parameters of the package', () => {
  const chinese = '固';
  const accepted: Parameters[] = [
    { FirmwareName: 'x'.repeat(40) },
    { FirmwareName: chinese.repeat(40) },
    { FirmwareName: 'ファームウェア-ふぁーむ_(1)' },
    { FirmwareName: '1.0'.replace('.', '-') },
    { DestVersion: 'v1.0-rc_1' },
    { DestVersion: 'x'.repeat(64) },
    { SrcVersion: '0.9' },
    { Type: 0 },
    { Type: 1, SrcVersion: '0.9' },
    { Type: 0, DestVersion: '1', SrcVersion: '1' },
    { SignMethod: 'MD5' },
    { SignMethod: 'SHA256' },
    { ProductKey: 'a1uctKe0001' },
    { ModuleName: 'MCU.a-b_c' },
    { ModuleName: '' },
    { FirmwareDesc: chinese.repeat(100) },
    { FirmwareDesc: '😀'.repeat(100) },
    { NeedToVerify: true },
    { NeedToVerify: 'False' },
    { Udi: 'x'.repeat(4096) },
    { Udi: '' },
    { ApiProduct: '', ApiRevision: '' },
  ];

  it.each(accepted.map((each) => [JSON.stringify(each).slice(0, 60), each] as const))(
    'accept %s',
    async (_, parameters) => {
      const { body } = await createOf('bytes', parameters);
      expect(body).toMatchObject({ Success: true });
    },
  );

  it('are limited in characters: 4096 of three bytes each, in a body', async () => {
    const wanted = {
      FirmwareName: 'longtext',
      DestVersion: '1',
      FirmwareUrl: await upload(gateway, 'bytes', {}, owner),
      Udi: chinese.repeat(4096),
    };
    const options = { key: owner, time: gateway.clock.now(), method: 'POST' };
    const pairs = signV1('CreateOTAFirmware', wanted, options);
    const { body } = await request(gateway.app).post('/').type('form').send(pairs);
    expect(body).toMatchObject({ Success: true });
  });

  const refused: [Parameters, string][] = [
    [{ FirmwareName: '' }, 'NullFirmwareName'],
    [{ FirmwareName: '   ' }, 'BlankFirmwareName'],
    [{ FirmwareName: 'x'.repeat(41) }, 'IncorrectFormattedFirmwareName'],
    [{ FirmwareName: '-x' }, 'IncorrectFormattedFirmwareName'],
    [{ FirmwareName: '(x)' }, 'IncorrectFormattedFirmwareName'],
    [{ FirmwareName: 'a b' }, 'IncorrectFormattedFirmwareName'],
    [{ FirmwareName: '1.0' }, 'IncorrectFormattedFirmwareName'],
    [{ FirmwareName: 'прошивка' }, 'IncorrectFormattedFirmwareName'],
    [{ DestVersion: '' }, 'NullFirmwareVersion'],
    [{ DestVersion: '1 0' }, 'IncorrectFormattedFirmwareVersion'],
    [{ DestVersion: 'x'.repeat(65) }, 'IncorrectFormattedFirmwareVersion'],
    [{ SrcVersion: '固' }, 'IncorrectFormattedSrcVersion'],
    [{ Type: 1 }, 'SrcVersionIsMandatory'],
    [{ Type: 1, SrcVersion: '7', DestVersion: '7' }, 'SrcDestVersionMatched'],
    [{ Type: 2 }, 'InvalidFirmwareType'],
    [{ Type: 'full' }, 'InvalidFirmwareType'],
    [{ SignMethod: 'SHA1' }, 'InvalidFirmwareSignMethod'],
    [{ ModuleName: 'a b' }, 'IncorrectFormattedModuleName'],
    [{ ModuleName: 'x'.repeat(65) }, 'IncorrectFormattedModuleName'],
    [{ FirmwareDesc: 'x'.repeat(101) }, 'FirmwareDescriptionExceedMaxLength'],
    [{ FirmwareSize: 'x' }, 'InvalidFirmwareSize'],
    [{ FirmwareSize: -1 }, 'InvalidFirmwareSize'],
    [{ FirmwareSize: '5.0' }, 'InvalidFirmwareSize'],
    [{ FirmwareSign: 'x' }, 'InvalidFirmwareSign'],
    [{ FirmwareSign: sha256('bytes') }, 'InvalidFirmwareSign'],
    [{ FirmwareSign: md5('bytes'), SignMethod: 'SHA256' }, 'InvalidFirmwareSign'],
  ];

  it.each(
    refused.map(([wrong, code]) => [JSON.stringify(wrong).slice(0, 60), code, wrong] as const),
  )('are refused: %s gives iot.firmware.%s', async (_, code, parameters) => {
    const response = await createOf('bytes', parameters);
    expect(refusal(response)).toEqual([200, false, `iot.firmware.${code}`]);
  });

  it.each<[Parameters, string]>([
    [{ NeedToVerify: 'no' }, 'iot.check.InvalidFormattedParameter'],
    [{ Udi: 'x'.repeat(4097) }, 'iot.check.ParameterIsNotLessThanMax'],
    [{ ProductKey: 'a b' }, 'iot.prod.InvalidFormattedProductkey'],
  ])('are refused: %p gives %s', async (parameters, code) => {
    expect(refusal(await createOf('bytes', parameters))).toEqual([200, false, code]);
  });

  it('have the text of the platform for a format error', async () => {
    const { body } = await createOf('bytes', { NeedToVerify: 'no' });
    expect(body.ErrorMessage).toBe(
      'The NeedToVerify parameter format is invalid. It must be true or false, but is "no".',
    );
  });

  it.each(['FirmwareName', 'DestVersion'])('require %s', async (name) => {
    const given = Object.entries({ FirmwareName: 'x', DestVersion: '1' });
    const parameters = Object.fromEntries(given.filter(([each]) => each !== name));
    const { body, status } = await call(gateway, 'CreateOTAFirmware', parameters, owner);
    expect([status, body.Code]).toEqual([400, `Missing${name}`]);
  });

  it('must name a product of the account when it lists any', async () => {
    const good = await createOf('bytes', { ProductKey: 'lamp' }, maker);
    const wrong = await createOf('bytes', { ProductKey: 'fan' }, maker);
    expect(good.body.Success).toBe(true);
    expect(refusal(wrong)).toEqual([200, false, 'iot.prod.NotExistedProduct']);
    expect(wrong.body.ErrorMessage).toContain('lamp');
  });

  it.each([
    ['default', 'default'],
    ['DEFAULT', 'default'],
    ['Mcu', 'Mcu'],
  ])('keep the module %s as %s', async (ModuleName, kept) => {
    const { body } = await createOf('bytes', { ModuleName });
    const query = await call(gateway, 'QueryOTAFirmware', body.Data, owner);
    expect(query.body.FirmwareInfo.ModuleName).toBe(kept);
  });

  it.each([
    [true, 0],
    [false, -1],
  ])('give NeedToVerify %p the status %i', async (NeedToVerify, status) => {
    const { body } = await createOf('bytes', { NeedToVerify });
    const query = await call(gateway, 'QueryOTAFirmware', body.Data, owner);
    expect(query.body.FirmwareInfo.Status).toBe(status);
  });
});

describe('names and versions', () => {
  it('are unique: a name in the account, so that a retry learns that it had succeeded', async () => {
    const FirmwareName = 'once';
    const FirmwareUrl = await upload(gateway, 'bytes', {}, owner);
    const first = await create({ FirmwareName, FirmwareUrl });
    const retry = await create({ FirmwareName, FirmwareUrl });
    const other = await createOf('bytes', { FirmwareName }, stranger);
    expect([first.body.Success, other.body.Success]).toEqual([true, true]);
    expect(refusal(retry)).toEqual([200, false, 'iot.firmware.AlreadyExistedFirmwareName']);
    expect(retry.body.ErrorMessage).toContain('once');
  });

  it('are unique: a version in its product', async () => {
    const version = { ProductKey: 'pump', DestVersion: '3.0' };
    await createOf('bytes', version);
    const again = await createOf('bytes', version);
    expect(refusal(again)).toEqual([200, false, 'iot.firmware.AlreadyExistedFirmwareVersion']);
    expect(again.body.ErrorMessage).toMatch(/3\.0.*pump/);
  });

  it('are limited to a maximum of packages', async () => {
    const small = await startTestGateway({ maxPackages: 1 });
    await createPackage(small);
    const FirmwareUrl = await upload(small, 'bytes');
    const wanted = { FirmwareName: 'second', DestVersion: '2', FirmwareUrl };
    const response = await call(small, 'CreateOTAFirmware', wanted);
    await small.close();
    expect(refusal(response)).toEqual([200, false, 'iot.firmware.FirmwareCountExceedMax']);
    expect(response.body.ErrorMessage).toContain('1 firmware packages');
  });
});

describe('FirmwareUrl', () => {
  const invalid = [200, false, 'iot.firmware.InvalidFirmwareUrl'];

  it.each([{}, { FirmwareUrl: '' }])(
    'is required: %p gives NullFirmwareUrl',
    async (parameters) => {
      expect(refusal(await create(parameters))).toEqual([
        200,
        false,
        'iot.firmware.NullFirmwareUrl',
      ]);
    },
  );

  it.each(['x', 'ftp://host/key', '/ota/key.bin', 'http://', 'http://host/%zz'])(
    'must be a URL: %s gives MalformedFirmwareUrl',
    async (FirmwareUrl) => {
      const response = await create({ FirmwareUrl });
      expect(refusal(response)).toEqual([200, false, 'iot.firmware.MalformedFirmwareUrl']);
    },
  );

  it.each([
    ['another host', (key: string) => `https://elsewhere.example.com/${key}`],
    ['path style', (key: string) => `http://${HOST}/iotx-ota/${key}`],
    ['virtual host', (key: string) => `https://iotx-ota.oss-cn-shanghai.aliyuncs.com/${key}`],
    ['a query', (key: string) => `http://${HOST}/${key}?Expires=1&Signature=x`],
    [
      'escapes',
      (key: string) => `http://${HOST}/${key.replaceAll('a', '%61').replace('/', '%2F')}`,
    ],
  ])('is found by its key: %s', async (_, rewrite) => {
    const url = await upload(gateway, 'bytes', {}, owner);
    const { body } = await create({ FirmwareUrl: rewrite(new URL(url).pathname.slice(1)) });
    expect(body).toMatchObject({ Success: true });
  });

  it('must have the host of the public URL, if there is one', async () => {
    const other = await startTestGateway({ publicUrl: 'https://ota.example.com' });
    const url = await upload(other, 'bytes');
    const createAt = (host: string, FirmwareName: string): Promise<Response> => {
      const FirmwareUrl = url.replace('ota.example.com', host);
      return call(other, 'CreateOTAFirmware', { FirmwareName, DestVersion: '1', FirmwareUrl });
    };
    const wrong = await createAt('elsewhere.example.com', 'wrong');
    const right = await createAt('ota.example.com', 'right');
    await other.close();
    expect(refusal(wrong)).toEqual(invalid);
    expect(wrong.body.ErrorMessage).toMatch(/elsewhere\.example\.com.*ota\.example\.com/);
    expect(right.body.Success).toBe(true);
  });

  it('is refused in the same way when it was never issued, or issued to another account', async () => {
    const foreign = await upload(gateway, 'bytes', {}, stranger);
    const responses = [
      await create({ FirmwareUrl: foreign }),
      await create({ FirmwareUrl: `http://${HOST}/ota/nothing.bin` }),
    ];
    for (const response of responses) {
      expect(refusal(response)).toEqual(invalid);
      expect(response.body.ErrorMessage).toContain('no such URL was issued to this account');
    }
  });

  it('is claimed by the account and instance of its key when the ledger has forgotten its grant', async () => {
    const grant = async (parameters: Parameters): Promise<string> => {
      const { records } = gateway;
      const forgetting = jest.spyOn(records.ledger, 'recordIssued').mockResolvedValueOnce();
      const url = await upload(gateway, 'bytes', parameters, owner);
      forgetting.mockRestore();
      return url;
    };
    const FirmwareUrl = await grant({ IotInstanceId: 'i1' });
    expect(refusal(await create({ FirmwareUrl }, stranger))).toEqual(invalid);
    expect(refusal(await create({ FirmwareUrl, IotInstanceId: 'i1' }, stranger))).toEqual(invalid);
    expect(refusal(await create({ FirmwareUrl, IotInstanceId: 'i2' }))).toEqual(invalid);
    expect((await create({ FirmwareUrl, IotInstanceId: 'i1' })).body.Success).toBe(true);
    const other = await grant({});
    expect((await create({ FirmwareUrl: other })).body.Success).toBe(true);
  });

  it('is refused when nothing was uploaded to it', async () => {
    const issued = await call(gateway, 'GenerateOTAUploadURL', {}, owner);
    const response = await create({ FirmwareUrl: issued.body.Data.FirmwareUrl });
    expect(refusal(response)).toEqual(invalid);
    expect(response.body.ErrorMessage).toContain('nothing has been uploaded');
  });

  it('is refused when its file is empty', async () => {
    const response = await createOf('');
    expect(refusal(response)).toEqual([200, false, 'iot.firmware.EmptyFirmwareFile']);
  });

  it('is refused when a package has its file, and the message names the package', async () => {
    const FirmwareUrl = await upload(gateway, 'bytes', {}, owner);
    await create({ FirmwareName: 'holder', FirmwareUrl });
    const response = await create({ FirmwareUrl });
    expect(refusal(response)).toEqual(invalid);
    expect(response.body.ErrorMessage).toContain('holder');
  });

  it('is refused when it is too late, and after the purge; the message says which, and when', async () => {
    const FirmwareUrl = await upload(gateway, 'bytes', {}, owner);
    const deadline = gateway.clock.now() + 60 * 60_000;
    gateway.clock.set(deadline);
    const late = await create({ FirmwareUrl });
    expect(refusal(late)).toEqual(invalid);
    expect(late.body.ErrorMessage).toContain('too late');
    expect(late.body.ErrorMessage).toContain(new Date(deadline).toISOString());

    gateway.clock.advance({ minutes: 1 });
    await gateway.purgeUnclaimed();
    const purged = await create({ FirmwareUrl });
    expect(refusal(purged)).toEqual(invalid);
    expect(purged.body.ErrorMessage).toContain(
      `purged at ${new Date(gateway.clock.now()).toISOString()}`,
    );
    expect(purged.body.ErrorMessage).toContain('no firmware package was made');
  });
});

describe('size and digest', () => {
  const bytes = 'measured';

  it.each<[string, Parameters]>([
    ['size', { FirmwareSize: bytes.length }],
    ['MD5', { FirmwareSign: md5(bytes) }],
    ['MD5 in upper case', { FirmwareSign: md5(bytes).toUpperCase(), SignMethod: 'MD5' }],
    ['SHA-256', { FirmwareSign: sha256(bytes), SignMethod: 'SHA256' }],
  ])('are accepted: the right %s', async (_, parameters) => {
    expect((await createOf(bytes, parameters)).body).toMatchObject({ Success: true });
  });

  it.each([
    ['MD5', md5(bytes)],
    ['SHA256', sha256(bytes)],
  ])('default to the size and the %s of the file', async (SignMethod, sign) => {
    const { body } = await createOf(bytes, { SignMethod });
    const query = await call(gateway, 'QueryOTAFirmware', body.Data, owner);
    expect(query.body.FirmwareInfo).toMatchObject({
      FirmwareSign: sign,
      FirmwareSize: bytes.length,
      SignMethod,
    });
  });

  it.each<[string, Parameters, string, string, string]>([
    ['size', { FirmwareSize: 7 }, 'InvalidFirmwareSize', '7', '8'],
    ['MD5', { FirmwareSign: md5('x') }, 'InvalidFirmwareSign', md5('x'), md5(bytes)],
    [
      'SHA-256',
      { FirmwareSign: sha256('x'), SignMethod: 'SHA256' },
      'InvalidFirmwareSign',
      sha256('x'),
      sha256(bytes),
    ],
  ])(
    'are refused: a wrong %s, with both values in the message, and the file stays',
    async (...row) => {
      const [, parameters, code, claimed, measured] = row;
      const FirmwareUrl = await upload(gateway, bytes, {}, owner);
      const wrong = await create({ FirmwareUrl, ...parameters });
      const right = await create({ FirmwareUrl });
      expect(refusal(wrong)).toEqual([200, false, `iot.firmware.${code}`]);
      expect(wrong.body.ErrorMessage).toContain(`says ${claimed}`);
      expect(wrong.body.ErrorMessage).toContain(`has ${measured}`);
      expect(right.body.Success).toBe(true);
    },
  );

  it('give SystemBusy when the SHA-256 takes too long, and a retry succeeds', async () => {
    let finish: (sha256: string) => void = () => undefined;
    const digest = new Promise<string>((resolve) => (finish = resolve));
    const bodies = new Map<string, number>();
    const slow = await startTestGateway({
      parts: {
        store: {
          put: async (locator, chunks) => {
            let size = 0;
            for await (const chunk of chunks) size += chunk.length;
            bodies.set(locator, size);
            return { size, md5: md5(bytes), crc64: '0' };
          },
          commit: async () => undefined,
          discard: async () => undefined,
          release: () => undefined,
          uncommitted: async () => [],
          digest: () => digest,
          open: async () => undefined,
          stat: async () => undefined,
          delete: async () => undefined,
          close: async () => undefined,
        },
      },
    });
    const FirmwareUrl = await upload(slow, bytes);
    const wanted = { FirmwareName: 'slow', DestVersion: '1', SignMethod: 'SHA256', FirmwareUrl };
    const busy = await call(slow, 'CreateOTAFirmware', wanted);
    finish(sha256(bytes));
    const retry = await call(slow, 'CreateOTAFirmware', wanted);
    await slow.close();
    expect(refusal(busy)).toEqual([200, false, 'iot.firmware.SystemBusy']);
    expect(retry.body.Success).toBe(true);
  });
});

describe('MultiFiles', () => {
  const files = async (count: number): Promise<Record<string, string>> => {
    const entries: [string, string][] = [];
    for (let place = 1; place <= count; place += 1) {
      entries.push([`MultiFiles.${place}.Name`, `f${place}.bin`]);
      entries.push([`MultiFiles.${place}.Url`, await upload(gateway, `file ${place}`, {}, owner)]);
    }
    return Object.fromEntries(entries);
  };

  it('makes a package of twenty files, in the order of their numbers', async () => {
    const { body } = await create(await files(20));
    const query = await call(gateway, 'QueryOTAFirmware', body.Data, owner);
    const listed = query.body.FirmwareInfo.MultiFiles.map((file: { Name: string }) => file.Name);
    expect(listed).toEqual(Array.from({ length: 20 }, (_, place) => `f${place + 1}.bin`));
  });

  it('keeps everything about a file', async () => {
    const { body } = await create({
      ...(await files(1)),
      'MultiFiles.1.SignValue': md5('file 1'),
      'MultiFiles.1.FileMd5': md5('file 1').toUpperCase(),
      'MultiFiles.1.Size': 6,
    });
    expect(body).toMatchObject({ Success: true });
  });

  const check = 'iot.check.InvalidFormattedParameter';
  it.each<[Parameters, string, string]>([
    [{ 'MultiFiles.21.Name': 'x' }, 'iot.firmware.ParameterSizeExceedMax', 'MultiFiles.21'],
    [{ 'MultiFiles.4294967295.Name': 'x' }, 'iot.firmware.ParameterSizeExceedMax', '4294967295'],
    [{ 'MultiFiles.0.Name': 'x' }, check, 'MultiFiles.0.Name'],
    [{ 'MultiFiles.02.Name': 'x' }, check, 'MultiFiles.02.Name'],
    [{ 'MultiFiles.x.Name': 'x' }, check, 'MultiFiles.x.Name'],
    [{ 'MultiFiles.4.Name': 'x' }, check, 'MultiFiles.3'],
    [{ 'MultiFiles.1.Name': '' }, check, 'MultiFiles.1.Name'],
    [{ 'MultiFiles.1.Name': 'x'.repeat(33) }, check, 'MultiFiles.1.Name'],
    [{ 'MultiFiles.2.Name': 'f1.bin' }, check, 'MultiFiles.2.Name'],
    [{ 'MultiFiles.1.Url': '' }, 'iot.firmware.NullFirmwareUrl', 'MultiFiles.1.Url'],
    [{ 'MultiFiles.1.Url': 'x' }, 'iot.firmware.MalformedFirmwareUrl', 'MultiFiles.1.Url'],
    [{ 'MultiFiles.2.Url': 'http://x/y' }, 'iot.firmware.InvalidFirmwareUrl', 'MultiFiles.2.Url'],
    [
      { 'MultiFiles.2.SignValue': 'x' },
      'iot.firmware.InvalidFirmwareSign',
      'MultiFiles.2.SignValue',
    ],
    [
      { 'MultiFiles.2.SignValue': md5('x') },
      'iot.firmware.InvalidFirmwareSign',
      'MultiFiles.2.SignValue',
    ],
    [
      { 'MultiFiles.2.FileMd5': md5('x') },
      'iot.firmware.InvalidFirmwareSign',
      'MultiFiles.2.FileMd5',
    ],
    [
      { 'MultiFiles.2.FileMd5': sha256('x') },
      'iot.firmware.InvalidFirmwareSign',
      'MultiFiles.2.FileMd5',
    ],
    [{ 'MultiFiles.2.Size': 'x' }, 'iot.firmware.InvalidFirmwareSize', 'MultiFiles.2.Size'],
    [{ 'MultiFiles.2.Size': 99 }, 'iot.firmware.InvalidFirmwareSize', 'MultiFiles.2.Size'],
    [{ FirmwareUrl: 'http://x/y' }, 'iot.system.IllegalRequest', 'FirmwareUrl'],
    [{ FirmwareSign: md5('x') }, 'iot.system.IllegalRequest', 'FirmwareSign'],
    [{ FirmwareSize: 1 }, 'iot.system.IllegalRequest', 'FirmwareSize'],
  ])('refuses %p with %s', async (wrong, code, named) => {
    const response = await create({ ...(await files(2)), ...wrong });
    expect(refusal(response)).toEqual([200, false, code]);
    expect(response.body.ErrorMessage).toContain(named);
  });

  it('refuses the same file twice', async () => {
    const two = await files(2);
    const response = await create({ ...two, 'MultiFiles.2.Url': two['MultiFiles.1.Url'] ?? '' });
    expect(refusal(response)).toEqual([200, false, 'iot.firmware.InvalidFirmwareUrl']);
    expect(response.body.ErrorMessage).toMatch(/MultiFiles\.2\.Url.*MultiFiles\.1/);
  });

  it('claims all files, or none', async () => {
    const two = await files(2);
    const wrong = await create({ ...two, 'MultiFiles.2.Size': 99 });
    const right = await create(two);
    expect([wrong.body.Success, right.body.Success]).toEqual([false, true]);
  });
});
