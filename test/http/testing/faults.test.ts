import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createFaults } from '../../../src/gateway.ts';
import type { TestGateway, UploadGrant } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway.close());

async function newGrant(one = gateway): Promise<UploadGrant> {
  return (await one.seed({ state: 'issued' })).grant;
}

async function stateOf(grant: UploadGrant): Promise<string | undefined> {
  return (await gateway.uploads.find(grant.key))?.state;
}

/** @returns the response to a call, with placeholders for its request id, also in the link to its explanation */
async function responseTo(one: TestGateway, action: string, parameters = {}): Promise<unknown> {
  const signed = one.api.sign(action, parameters);
  const response = await one.fetch(signed.url, signed);
  const { 'x-acs-request-id': id = '', ...rest } = Object.fromEntries(response.headers);
  const headers = Object.entries(rest).map(([name, value]) => [name, value.replaceAll(id, 'ID')]);
  return [
    response.status,
    Object.fromEntries(headers),
    (await response.text()).replaceAll(id, 'ID'),
  ];
}

describe('an injected refusal of an API call', () => {
  it('equals the refusal of a quota, byte for byte', async () => {
    await using busy = await startTestGateway({ qps: 1 });
    await responseTo(busy, 'GenerateOTAUploadURL');
    const real = await responseTo(busy, 'GenerateOTAUploadURL');
    gateway.faults.next('GenerateOTAUploadURL', { code: 'Throttling.User' });
    const injected = await responseTo(gateway, 'GenerateOTAUploadURL');
    expect(JSON.stringify(injected)).toBe(
      JSON.stringify(real).replace(/("x-acs-retry-after":)"\d+"/, '$1"1000"'),
    );
    await gateway.api.generateOTAUploadURL();
  });

  it.each([
    ['MissingFirmwareId', 'QueryOTAFirmware', {}, {}],
    ['iot.firmware.FirmwareNotFound', 'QueryOTAFirmware', { FirmwareId: 'abc' }, {}],
    [
      'iot.firmware.NullFirmwareId',
      'DeleteOTAFirmware',
      { FirmwareId: '' },
      { reason: 'must be 1 to 64 letters or digits.' },
    ],
    ['iot.ota.FirmwareNotFound', 'ModifyOTAFirmware', { FirmwareId: 'a', ProductKey: 'b' }, {}],
    [
      'iot.firmware.FirmwareCountExceedMax',
      'CreateOTAFirmware',
      { FirmwareName: 'a', DestVersion: '1' },
      { maximum: '0' },
    ],
  ])('equals the real %s, byte for byte', async (code, action, parameters, details) => {
    await using full = await startTestGateway({ maxPackages: 0 });
    const { firmwareUrl: FirmwareUrl } = await full.seed({ state: 'stored' });
    const given = action === 'CreateOTAFirmware' ? { ...parameters, FirmwareUrl } : parameters;
    const real = await responseTo(full, action, given);
    expect(JSON.stringify(real)).toContain(code);
    // A call that would succeed wherever possible.
    const { firmwareId: FirmwareId = '' } = await gateway.seed({ state: 'claimed' });
    const good = { FirmwareId, FirmwareName: 'b', DestVersion: '2', ProductKey: 'b', ...given };
    gateway.faults.inject({ operation: action, code, details });
    expect(await responseTo(gateway, action, good)).toEqual(real);
  });

  it('shows the string to sign as the real one does', async () => {
    gateway.faults.next('GenerateOTAUploadURL', { code: 'SignatureDoesNotMatch' });
    await expect(gateway.api.generateOTAUploadURL()).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringMatching(/server string to sign is:ACS3-HMAC-SHA256\n[0-9a-f]{64}$/),
    });
  });

  it('has the given message', async () => {
    gateway.faults.next('QueryOTAFirmware', { code: 'InternalError', message: 'On purpose.' });
    await expect(gateway.api.queryOTAFirmware({ firmwareId: 'a' })).rejects.toMatchObject({
      code: 'InternalError',
      status: 500,
      message: 'On purpose.',
    });
  });

  it('has no effect', async () => {
    const { firmwareUrl, key } = await gateway.seed({ state: 'stored' });
    gateway.faults.next('CreateOTAFirmware', { code: 'iot.firmware.SystemBusy' });
    const wanted = { firmwareName: 'a', destVersion: '1', firmwareUrl };
    await expect(gateway.api.createOTAFirmware(wanted)).rejects.toMatchObject({
      code: 'iot.firmware.SystemBusy',
    });
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'stored' });
    await gateway.api.createOTAFirmware(wanted);
  });

  it('has no unfilled placeholder with any code', async () => {
    const catalog = /it has (.*)/.exec(refusalOf('CreateOTAFirmware', { code: '?' }))?.[1] ?? '';
    const codes = catalog.split(', ');
    expect(codes.length).toBeGreaterThan(40);
    for (const code of codes) {
      gateway.faults.inject({ operation: 'CreateOTAFirmware', code });
      const wanted = { FirmwareName: 'a', DestVersion: '1', FirmwareUrl: 'x' };
      const [, , text] = Object.values(
        Object(await responseTo(gateway, 'CreateOTAFirmware', wanted)),
      );
      expect(text).toContain(`"Code":"${code}"`);
      expect(text).not.toMatch(/[^:]\{\w+\}/);
    }
  });
});

function refusalOf(operation: string, order: object, scope: object = {}): string {
  try {
    createFaults().inject({ operation, ...order, ...scope });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('expected a refusal');
}

describe('an injected refusal of a form', () => {
  const strip = (body: string): string => body.replace(/<RequestId>\w+</, '<RequestId>ID<');

  it.each([
    ['SignatureDoesNotMatch', {}, { signature: 'bad' }, { SignatureProvided: 'bad' }],
    ['InvalidAccessKeyId', {}, { OSSAccessKeyId: 'bad' }, { OSSAccessKeyId: 'bad' }],
    ['EntityTooLarge', { maxUpload: 3 }, {}, { MaxSizeAllowed: '3', ProposedSize: '8' }],
    ['FileAlreadyExists', {}, { 'x-oss-forbid-overwrite': 'true' }, {}],
  ])('equals the real %s, byte for byte', async (code, options, fields, details) => {
    await using strict = await startTestGateway(options);
    const grant = await newGrant(strict);
    if (code === 'FileAlreadyExists') await strict.postObject(grant, 'first');
    const real = await strict.postObject(grant, 'firmware', { fields });
    expect(real.code).toBe(code);

    const fresh = await newGrant();
    gateway.faults.inject({ operation: 'PostObject', code, details });
    const answer = await gateway.postObject({ ...fresh, ...grantOf(code, grant) }, 'firmware');
    expect(answer.status).toBe(real.status);
    expect(strip(answer.body)).toBe(strip(real.body));
    expect(Object.keys(answer.headers)).toEqual(Object.keys(real.headers));
  });

  /** The string to sign is the policy, so that must be the same one. */
  function grantOf(code: string, grant: UploadGrant): Partial<UploadGrant> {
    return code === 'SignatureDoesNotMatch' ? grant : {};
  }

  it('has no effect, and a retry succeeds', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { code: 'InternalError' });
    expect(await gateway.postObject(grant, 'x')).toMatchObject({
      status: 500,
      code: 'InternalError',
    });
    expect(await stateOf(grant)).toBe('issued');
    expect(await gateway.postObject(grant, 'x')).toMatchObject({ status: 200 });
  });

  it('leaves the file stored when a callback fails', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { code: 'CallbackFailed' });
    expect(await gateway.postObject(grant, 'x')).toMatchObject({
      status: 203,
      code: 'CallbackFailed',
    });
    expect(await stateOf(grant)).toBe('stored');
  });

  it('exists for each code of OSS', async () => {
    const codes =
      /it has (.*)/.exec(refusalOf('PostObject', { code: '?' }))?.[1]?.split(', ') ?? [];
    expect(codes.length).toBeGreaterThan(20);
    const grant = await newGrant();
    for (const code of codes) {
      gateway.faults.inject({ operation: 'PostObject', code });
      expect(await gateway.postObject(grant, 'x')).toMatchObject({ code });
    }
  });
});

describe('a broken connection', () => {
  it('is reset in the middle of a file, and nothing is stored', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { resetAfter: 1024 });
    const bytes = Buffer.alloc(1024 * 1024);
    await expect(gateway.postObject(grant, bytes)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await stateOf(grant)).toBe('issued');
    expect(await gateway.postObject(grant, bytes)).toMatchObject({ status: 200 });
  });

  it('does not affect shorter files', async () => {
    gateway.faults.next('PostObject', { resetAfter: 1024 });
    expect(await gateway.postObject(await newGrant(), 'short')).toMatchObject({ status: 200 });
  });

  it('is also reset over the network', async () => {
    const { url } = await gateway.listen();
    const grant = await newGrant();
    for (const fault of [{ resetAfter: 1024 }, { loseAnswer: true }] as const) {
      gateway.faults.next('PostObject', fault);
      const posting = gateway.postObjectTo(url, grant, Buffer.alloc(1024 * 1024));
      await expect(posting).rejects.toMatchObject({
        code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/),
      });
    }
    expect(await stateOf(grant)).toBe('stored');
  });

  it('loses the response, not the upload', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { loseAnswer: true });
    await expect(gateway.postObject(grant, 'x')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await stateOf(grant)).toBe('stored');
  });

  it('loses the response to a claim, so a retry finds the name taken', async () => {
    const { firmwareUrl } = await gateway.seed({ state: 'stored' });
    const wanted = { firmwareName: 'lamp', destVersion: '1', firmwareUrl };
    gateway.faults.next('CreateOTAFirmware', { loseAnswer: true });
    await expect(gateway.api.createOTAFirmware(wanted)).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await expect(gateway.api.createOTAFirmware(wanted)).rejects.toMatchObject({
      code: 'iot.firmware.AlreadyExistedFirmwareName',
    });
  });

  it('cuts the response after a number of bytes', async () => {
    const { port } = await gateway.listen();
    gateway.faults.next('GenerateOTAUploadURL', { truncateAnswerAfter: 40 });
    const signed = gateway.apiFor(`http://127.0.0.1:${port}`).sign('GenerateOTAUploadURL');
    const socket = connect(port, '127.0.0.1');
    const headers = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${signed.url} HTTP/1.1\r\n${headers.join('')}Content-Length: 0\r\n\r\n`);
    let received = '';
    socket.on('data', (chunk) => (received += String(chunk)));
    await once(socket, 'end');
    socket.destroy();
    expect(received).toHaveLength(40);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: /);
  });

  it('does not cut a shorter response', async () => {
    gateway.faults.next('PostObject', { truncateAnswerAfter: 100_000 });
    expect(await gateway.postObject(await newGrant(), 'x')).toMatchObject({ status: 200 });
  });

  it('does not cut the next response of the connection', async () => {
    const { port } = await gateway.listen();
    gateway.faults.next('GenerateOTAUploadURL', { truncateAnswerAfter: 4000 });
    const signed = gateway.apiFor(`http://127.0.0.1:${port}`).sign('GenerateOTAUploadURL');
    const headers = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${signed.url} HTTP/1.1\r\n${headers.join('')}Content-Length: 0\r\n\r\n`);
    socket.write('GET /_gateway/openapi.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const [, length = '', document = ''] =
      /Content-Length: (\d{4,})\r\n[^]*?\r\n\r\n([^]*)$/.exec(await text(socket)) ?? [];
    expect(Number(length)).toBeGreaterThan(4000);
    expect(Buffer.byteLength(document)).toBe(Number(length));
  });

  it('resets an API call, which then has no effect', async () => {
    const { firmwareId = '' } = await gateway.seed({ state: 'claimed' });
    gateway.faults.next('DeleteOTAFirmware', { resetAfter: 0 });
    await expect(gateway.api.deleteOTAFirmware({ firmwareId })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await gateway.api.queryOTAFirmware({ firmwareId });
  });
});

describe('a slow request', () => {
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await work;
    return performance.now() - start;
  };

  it('is delayed in real time', async () => {
    gateway.faults.next('GenerateOTAUploadURL', { delay: { milliseconds: 80 } });
    expect(await timed(gateway.api.generateOTAUploadURL())).toBeGreaterThan(75);
    const grant = await newGrant();
    gateway.faults.next('PostObject', { delay: { milliseconds: 80 } });
    expect(await timed(gateway.postObject(grant, 'x'))).toBeGreaterThan(75);
  });

  it('stalls in the middle of a file, and continues', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { stallAfter: 4, stallFor: { milliseconds: 80 } });
    expect(await timed(gateway.postObject(grant, 'firmware'))).toBeGreaterThan(75);
    const [upload] = (await gateway.snapshot()).uploads;
    expect(upload).toMatchObject({ size: 8, md5: '74b5b5e9570efc5c0553bb327cd41940' });
  });

  it('is not read faster than the given rate', async () => {
    const grant = await newGrant();
    gateway.faults.next('PostObject', { bytesPerSecond: 50 });
    expect(await timed(gateway.postObject(grant, Buffer.alloc(10)))).toBeGreaterThan(190);
  });
});

describe('the scope of a fault', () => {
  const failures = async (grants: readonly UploadGrant[]): Promise<boolean[]> => {
    const results: boolean[] = [];
    for (const grant of grants) results.push((await gateway.postObject(grant, 'x')).status !== 200);
    return results;
  };
  const grants = async (count: number): Promise<UploadGrant[]> => {
    const all: UploadGrant[] = [];
    while (all.length < count) all.push(await newGrant());
    return all;
  };

  it('is one request, or the given number of requests', async () => {
    gateway.faults.next('PostObject', { code: 'InternalError' });
    gateway.faults.next('PostObject', { code: 'InternalError' }, { times: 2 });
    expect(await failures(await grants(4))).toEqual([true, true, true, false]);
  });

  it('is every request until the fault is canceled', async () => {
    const id = gateway.faults.always('PostObject', { code: 'InternalError' });
    expect(await failures(await grants(2))).toEqual([true, true]);
    expect(gateway.faults.list()).toMatchObject([{ id, operation: 'PostObject', taken: 2 }]);
    expect(gateway.faults.cancel(id)).toBe(true);
    expect(gateway.faults.cancel(id)).toBe(false);
    expect(await failures(await grants(1))).toEqual([false]);
  });

  it.each([
    ['*.zip', [false, true]],
    ['ota/*/*00002.zip', [false, true]],
    ['*.zi', [false, false]],
    [/zip$/, [false, true]],
    [/BIN|ZIP/i, [true, true]],
  ])('is a pattern of keys: %s', async (key, expected) => {
    const both = [
      await gateway.api.generateOTAUploadURL(),
      await gateway.api.generateOTAUploadURL({ fileSuffix: 'zip' }),
    ];
    gateway.faults.always('PostObject', { code: 'InternalError' }, { key });
    expect(await failures(both)).toEqual(expected);
  });

  it('is a share of the requests, the same for the same seed', async () => {
    const drawn = async (seed: number): Promise<string> => {
      const id = gateway.faults.always(
        'PostObject',
        { code: 'InternalError' },
        { rate: 0.5, seed },
      );
      const results = await failures(await grants(40));
      gateway.faults.cancel(id);
      return results.map(Number).join('');
    };
    const first = await drawn(7);
    expect(await drawn(7)).toBe(first);
    expect(await drawn(8)).not.toBe(first);
    expect(first.replaceAll('0', '').length).toBeGreaterThan(8);
    expect(first.replaceAll('1', '').length).toBeGreaterThan(8);
  });
});

describe('an invalid fault', () => {
  it.each([
    ['CopyObject', { code: 'x' }, {}, 'there is no operation "CopyObject"; there are PostObject, '],
    [
      'PostObject',
      { code: 'Throttling.User' },
      {},
      'PostObject has no error "Throttling.User"; it',
    ],
    ['QueryOTAFirmware', { code: 'MissingFoo' }, {}, 'QueryOTAFirmware has no error "MissingFoo"'],
    ['PostObject', {}, {}, 'a fault is exactly one of code, resetAfter'],
    ['PostObject', { code: 'InternalError', resetAfter: 1 }, {}, 'a fault is exactly one of'],
    ['PostObject', { resetAfter: 1, message: 'x' }, {}, 'message is allowed only with code'],
    ['PostObject', { resetAfter: -1 }, {}, 'resetAfter: '],
    ['PostObject', { delay: { weeks: 1 } }, {}, 'delay: Unrecognized key: "weeks"'],
    ['QueryOTAFirmware', { bytesPerSecond: 1 }, {}, 'QueryOTAFirmware has no file'],
    ['QueryOTAFirmware', { resetAfter: 1 }, {}, 'QueryOTAFirmware has no file'],
    [
      'QueryOTAFirmware',
      { loseAnswer: true },
      { key: 'a' },
      'only faults of PostObject, GetObject, HeadObject, PutObject, DeleteObject can have a key',
    ],
    ['PostObject', { loseAnswer: true }, { rate: 2 }, 'rate: '],
    ['PostObject', { loseAnswer: true }, { times: 0 }, 'times: '],
    ['PostObject', { loseAnswer: true }, { seed: 1 }, 'seed is allowed only with rate'],
  ])('is rejected: %s %j %j', (operation, order, scope, message) => {
    expect(refusalOf(operation, order, scope)).toContain(message);
  });
});
