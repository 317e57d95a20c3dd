import { existsSync } from 'node:fs';
import express from 'express';
import request from 'supertest';
import { ApiCallError, ManualClock } from '../../../src/testing/index.ts';
import { createOtaClient } from '../../../src/client/ota-client.ts';
import { MemorySocket } from '../../../src/client/memory-connection.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { itOnOneMachine } from '../../support/engine.ts';
import { startTestGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway.close());

describe('the sample of the README', () => {
  it('purges what was never claimed', async () => {
    const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
    expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 200 });
    gateway.clock.advance({ minutes: 61 });
    expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1 });
    expect(await gateway.uploads.find(grant.key)).toMatchObject({
      state: 'purged',
      purge: { reason: 'unclaimed' },
    });
  });
});

describe('gateway.api', () => {
  it('calls every operation, in the style of the SDKs', async () => {
    const { api } = gateway;
    const grant = await api.generateOTAUploadURL({ fileSuffix: 'tar.gz' });
    expect(grant.firmwareUrl).toBe(`http://gateway.test/${grant.key}`);
    await gateway.postObject(grant, 'firmware');
    const created = await api.createOTAFirmware({
      firmwareName: 'lamp',
      destVersion: '1.0.0',
      firmwareUrl: grant.firmwareUrl,
      firmwareSize: 8,
      productKey: 'a1Product',
    });
    const { firmwareId } = created;
    expect(created.utcCreate).toBe('2024-01-01T00:00:00.000Z');
    expect(await api.queryOTAFirmware({ firmwareId })).toMatchObject({
      firmwareId,
      firmwareName: 'lamp',
      firmwareSize: 8,
      status: 0,
    });
    await api.modifyOTAFirmware({ firmwareId, productKey: 'a1Product', firmwareName: 'lantern' });
    expect(await api.listOTAFirmware()).toMatchObject({
      total: 1,
      currentPage: 1,
      firmwareInfo: [{ firmwareId, firmwareName: 'lantern' }],
    });
    await api.deleteOTAFirmware({ firmwareId });
    expect(await api.listOTAFirmware({ pageSize: 5 })).toMatchObject({ total: 0, pageSize: 5 });
  });

  it('creates a package of several files', async () => {
    const [one, two] = [
      await gateway.seed({ state: 'stored', bytes: 'one' }),
      await gateway.seed({ state: 'stored', bytes: 'second' }),
    ];
    const { firmwareId } = await gateway.api.createOTAFirmware({
      firmwareName: 'pair',
      destVersion: '1',
      multiFiles: [
        { name: 'a.bin', url: one.firmwareUrl, size: 3 },
        { name: 'b.bin', url: two.firmwareUrl },
      ],
    });
    const { multiFiles = [] } = await gateway.api.queryOTAFirmware({ firmwareId });
    expect(multiFiles.map(({ name, size }) => [name, size])).toEqual([
      ['a.bin', 3],
      ['b.bin', 6],
    ]);
    const [file] = multiFiles;
    expect(await (await gateway.fetch(file?.url ?? '')).text()).toBe('one');
  });

  it('rejects with the code of a refusal', async () => {
    const refused = gateway.api.queryOTAFirmware({ firmwareId: 'nothing' });
    await expect(refused).rejects.toMatchObject({ code: 'iot.firmware.FirmwareNotFound' });
    await expect(refused).rejects.toBeInstanceOf(ApiCallError);
  });

  it('calls any action', async () => {
    await expect(gateway.api.call('BatchGetEdgeDriver')).rejects.toMatchObject({
      code: 'InvalidAction.NotFound',
    });
    expect(
      await gateway.api.call('ListOTAFirmware', { currentPage: 1, pageSize: 1 }),
    ).toMatchObject({ Success: true, Total: 0 });
  });

  it('signs for supertest', async () => {
    const signed = gateway.api.sign('GenerateOTAUploadURL', { fileSuffix: 'zip' });
    const response = await request(gateway.app).post(signed.url).set(signed.headers).expect(200);
    expect(response.body.Data.Key).toMatch(/\.zip$/);
    await request(gateway.app).post(signed.url).set(signed.headers).expect(400);
  });

  it('posts with supertest', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    await request(gateway.app)
      .post('/')
      .field(gateway.formFields(grant))
      .attach('file', Buffer.from('firmware'), 'fw.bin')
      .expect(200);
    expect(await gateway.uploads.find(grant.key)).toMatchObject({ state: 'stored' });
  });

  it('works over the network', async () => {
    const { url } = await gateway.listen();
    const grant = await gateway.apiFor(url).generateOTAUploadURL();
    expect(grant.host).toBe(url);
    expect(await gateway.postObjectTo(grant.host, grant, 'x')).toMatchObject({ status: 200 });
  });

  it('works as any account', async () => {
    const [ann, bob] = ['ann', 'bob'].map((id) => ({
      id,
      accessKeys: [{ id: `${id}-key`, secret: `${id}-secret` }],
    }));
    if (ann === undefined || bob === undefined) throw new Error('no accounts');
    await using shared = await startTestGateway({ parts: { accounts: [ann, bob] } });
    expect(shared.accessKey.id).toBe('ann-key');
    const [bobsKey] = bob.accessKeys;
    const { firmwareUrl } = await shared.seed({ state: 'stored', accessKey: bobsKey });
    const wanted = { firmwareName: 'f', destVersion: '1', firmwareUrl };
    await expect(shared.api.createOTAFirmware(wanted)).rejects.toMatchObject({
      code: 'iot.firmware.InvalidFirmwareUrl',
    });
    if (bobsKey === undefined) throw new Error('no key');
    await shared.apiAs(bobsKey).createOTAFirmware(wanted);
  });
});

describe('gateway.fetch', () => {
  it.each(['/_gateway/health/live', 'http://gateway.test/a', 'http://other.test:8080/a'])(
    'sends the host of %s',
    async (url) => {
      const seen: unknown[] = [];
      const write = jest.spyOn(MemorySocket.prototype, 'write');
      await gateway.fetch(url);
      for (const [chunk] of write.mock.calls) seen.push(/^host: (.*)\r$/m.exec(String(chunk))?.[1]);
      write.mockRestore();
      expect(seen).toContain(new URL(url, gateway.url).host);
    },
  );

  it('rejects a header that would be two', async () => {
    await expect(gateway.fetch('/', { headers: { a: 'b\r\nc: d' } })).rejects.toThrow(
      'Invalid character in header',
    );
  });
});

describe('a faked Date', () => {
  // All timers are faked, also those of a client of PostgreSQL.
  itOnOneMachine('is followed, as by the SDKs of the process', async () => {
    jest.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
    try {
      const { accessKey, url } = gateway;
      const client = createOtaClient({
        endpoint: url,
        accessKeyId: accessKey.id,
        accessKeySecret: accessKey.secret,
        clock: { now: () => Date.now() },
        nonce: () => 'of 2030',
        fetch: (target, init) => gateway.fetch(target.href, init),
      });
      expect(await client.listOTAFirmware()).toMatchObject({ total: 0 });
      expect(await gateway.api.listOTAFirmware()).toMatchObject({ total: 0 });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('gateway.postObject', () => {
  it('adds, replaces and removes fields, and adds headers', async () => {
    const { grant } = await gateway.seed({ state: 'issued' });
    const posted = await gateway.postObject(grant, 'bytes', {
      fields: { success_action_status: '201' },
      headers: { 'Content-Language': 'de' },
    });
    expect(posted).toMatchObject({ status: 201, body: expect.stringContaining(grant.key) });
    expect(
      await gateway.postObject(grant, 'bytes', { fields: { signature: undefined } }),
    ).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  it('returns the code of a refusal that is sent before the file is read', async () => {
    const { grant } = await gateway.seed({ state: 'issued' });
    gateway.clock.advance({ seconds: 61 });
    const posted = await gateway.postObject(grant, Buffer.alloc(20 * 1024 * 1024));
    expect(posted).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  it('streams large files', async () => {
    const { grant } = await gateway.seed({ state: 'issued' });
    const bytes = Buffer.alloc(30 * 1024 * 1024, 'ota');
    await gateway.postObject(grant, bytes);
    const { firmwareId } = await gateway.api.createOTAFirmware({
      firmwareName: 'large',
      destVersion: '1',
      firmwareUrl: grant.firmwareUrl,
      signMethod: 'SHA256',
    });
    const { firmwareUrl = '' } = await gateway.api.queryOTAFirmware({ firmwareId });
    const response = await gateway.fetch(firmwareUrl);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });
});

describe('gateway.seed', () => {
  it.each(['issued', 'stored', 'claimed', 'purging', 'purged'] as const)(
    'creates an upload in the state %s',
    async (state) => {
      const { firmwareId, key } = await gateway.seed({ state, bytes: 'abc' });
      expect(await gateway.uploads.find(key)).toMatchObject({ key, state });
      expect(firmwareId === undefined).toBe(['issued', 'stored', 'purged'].includes(state));
      expect(gateway.clock.now()).toBe(new ManualClock().now());
    },
  );

  it('creates an upload of any age', async () => {
    const { key } = await gateway.seed({ state: 'stored', age: { minutes: 59 } });
    expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 0 });
    gateway.clock.advance({ minutes: 1 });
    expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1, bytes: 8 });
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'purged' });
  });

  it('creates the firmware package with the given description', async () => {
    const firmware = { firmwareName: 'lamp', destVersion: '2.0.0', needToVerify: false };
    const { firmwareId = '' } = await gateway.seed({ state: 'claimed', firmware });
    expect(await gateway.api.queryOTAFirmware({ firmwareId })).toMatchObject({
      firmwareName: 'lamp',
      destVersion: '2.0.0',
      status: -1,
    });
  });

  it('creates many uploads in sequence', async () => {
    const ages = [1, 50, 10].map((minutes) => gateway.seed({ state: 'stored', age: { minutes } }));
    await Promise.all(ages);
    const stored = (await gateway.snapshot()).uploads.map(({ storedAt }) =>
      storedAt?.slice(11, 16),
    );
    expect(stored).toEqual(['23:59', '23:10', '23:50']);
  });
});

describe('hooks', () => {
  it('report events until they are removed', async () => {
    const seen: string[] = [];
    const stop = gateway.onStored((key, { size }) => void seen.push(`stored ${key} ${size}`));
    gateway.onClaimed(({ name }) => void seen.push(`claimed ${name}`));
    gateway.onPurged(({ key }) => void seen.push(`purged ${key}`));
    const { key } = await gateway.seed({ state: 'purging', firmware: { firmwareName: 'lamp' } });
    await gateway.purgeUnclaimed();
    expect(seen).toEqual([`stored ${key} 8`, 'claimed lamp', `purged ${key}`]);
    stop();
    await gateway.seed({ state: 'stored' });
    expect(seen).toHaveLength(3);
  });

  it('do not disturb the gateway when they throw, but closing rejects with the error', async () => {
    const other = await startTestGateway();
    other.onStored(() => {
      throw new Error('an assertion');
    });
    await other.seed({ state: 'stored' });
    await expect(other.close()).rejects.toThrow('an assertion');
    await other.close();
  });

  it('do not replace an observer of the test', async () => {
    const stored = jest.fn();
    await using other = await startTestGateway({ parts: { observers: [{ stored }] } });
    await other.seed({ state: 'stored' });
    expect(stored).toHaveBeenCalledTimes(1);
  });
});

describe('gateway.snapshot', () => {
  it('is the same in every run', async () => {
    const live = async (one: TestGateway): Promise<unknown> => {
      await one.seed({ state: 'claimed' });
      await one.seed({ state: 'stored', age: { minutes: 5 } });
      await one.seed({ state: 'purged' });
      return one.snapshot();
    };
    await using other = await startTestGateway();
    const snapshot = await live(gateway);
    expect(await live(other)).toEqual(snapshot);
    expect(snapshot).toMatchSnapshot();
  });

  it('can be compared with a grant', async () => {
    const { grant } = await gateway.seed({ state: 'stored', bytes: 'four' });
    expect(await gateway.snapshot()).toMatchObject({
      time: '2024-01-01T00:00:00.000Z',
      uploads: [
        { key: grant.key, state: 'stored', size: 4, claimUntil: '2024-01-01T01:00:00.000Z' },
      ],
    });
  });
});

describe('gateway.reset', () => {
  it('removes everything, and resets the clock', async () => {
    for (const state of ['issued', 'stored', 'claimed', 'purging', 'purged'] as const) {
      await gateway.seed({ state });
    }
    gateway.clock.advance({ days: 3 });
    gateway.faults.next('PostObject', { code: 'InternalError' });
    await gateway.reset();
    expect(await gateway.snapshot()).toEqual({
      time: '2024-01-01T00:00:00.000Z',
      uploads: [],
      packages: [],
    });
    expect(gateway.faults.list()).toEqual([]);
    await gateway.seed({ state: 'claimed' });
  });

  it('removes an upload whose body is still received, and its grant', async () => {
    const { key } = await gateway.api.generateOTAUploadURL();
    let goOn = (): void => undefined;
    const isReset = new Promise<void>((resolve) => (goOn = resolve));
    let begun = (): void => undefined;
    const isReceived = new Promise<void>((resolve) => (begun = resolve));
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      begun();
      await isReset;
      yield Buffer.from('second');
    }
    const stored = gateway.uploads.deposit({ key, bytes: bytes() });
    await isReceived;
    await gateway.reset();
    expect((await gateway.snapshot()).uploads).toEqual([]);
    goOn();
    await expect(stored).rejects.toMatchObject({ code: 'cancelled' });
    expect((await gateway.snapshot()).uploads).toEqual([]);
  });

  it('refuses a form that is still received', async () => {
    const { ledger } = gateway.records;
    const grant = await gateway.api.generateOTAUploadURL();
    let resets = 0;
    const find = ledger.findHolder.bind(ledger);
    jest.spyOn(ledger, 'findHolder').mockImplementationOnce(async (key) => {
      const found = await find(key);
      await gateway.reset();
      resets += 1;
      return found;
    });
    expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 503 });
    expect(resets).toBe(1);
    expect((await gateway.snapshot()).uploads).toEqual([]);
  });
});

describe('gateway.uploads.setStatus', () => {
  it('verifies a package as a device would', async () => {
    const { firmwareId = '' } = await gateway.seed({ state: 'claimed' });
    const verdict = { status: 'verifying', verifyProgress: 40 } as const;
    expect(await gateway.uploads.setStatus(firmwareId, verdict)).toBe(true);
    expect(await gateway.api.queryOTAFirmware({ firmwareId })).toMatchObject({
      status: 2,
      verifyProgress: 40,
    });
    expect(await gateway.uploads.setStatus('nothing', verdict)).toBe(false);
  });
});

describe('a test gateway', () => {
  it('removes its folder, and can be closed twice', async () => {
    const other = await startTestGateway();
    expect(existsSync(other.dataDir)).toBe(true);
    await other.close();
    await other.close();
    expect(existsSync(other.dataDir)).toBe(false);
  });

  it('leaves no folder when it cannot start', async () => {
    await expect(startTestGateway({ policyTtl: 'soon' })).rejects.toThrow('policyTtl');
  });

  it('does not wait for a request that never ends when it is closed', async () => {
    const other = await startTestGateway();
    const { grant } = await other.seed({ state: 'issued' });
    other.faults.next('PostObject', { stallAfter: 0 });
    const posting = other.postObject(grant, 'never');
    const broken = expect(posting).rejects.toMatchObject({ code: 'ECONNRESET' });
    while (other.faults.list().length > 0) await new Promise((resolve) => setImmediate(resolve));
    await other.close();
    await broken;
  });

  it('can be mounted in an app', async () => {
    const app = express().use('/cloud', gateway.app);
    const { body } = await request(app).get('/cloud/_gateway/health/live').expect(200);
    expect(body).toMatchObject({ status: 'live' });
  });

  it('is independent of another one', async () => {
    await using other = await startTestGateway();
    const { key } = await gateway.seed({ state: 'stored' });
    expect(await other.uploads.find(key)).toBeUndefined();
    other.faults.always('GenerateOTAUploadURL', { code: 'InternalError' });
    await gateway.api.generateOTAUploadURL();
  });
});
