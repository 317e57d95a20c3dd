import { isIP } from 'node:net';
import express from 'express';
import request from 'supertest';
import { packageShape, pushMessageShape } from '../../../src/operator/package-shapes.ts';
import { aboutShape, pageOf, purgeShape } from '../../../src/operator/shapes.ts';
import { uploadHistoryShape, uploadShape } from '../../../src/operator/upload-shapes.ts';
import { usageReportShape } from '../../../src/operator/usage-shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { eventually } from '../../support/built-gateway.ts';
import { ANN, BOB, OPS, call, startWithOperator, uploadPath } from './operator-api.ts';
import type { Key } from './operator-api.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startWithOperator();
});

afterEach(() => gateway.close());

/** Posts a form that the operator API has signed. @returns its key */
async function store(key: Key, text = 'firmware'): Promise<string> {
  const { body: grant } = await call(gateway, key, 'post', '/grants').send({}).expect(201);
  await request(gateway.app)
    .post('/')
    .field(grant.fields)
    .attach('file', Buffer.from(text), 'a.bin')
    .expect(200);
  return grant.key;
}

async function claim(key: Key, keys: readonly string[], name = 'pump') {
  return call(gateway, key, 'post', '/packages').send({ name, version: '1.0.0', keys });
}

it('signs a form, which stores an upload that is listed, shown, claimed, linked and deleted', async () => {
  const key = await store(ANN);
  const list = await call(gateway, ANN, 'get', '/uploads').expect(200);
  expect(pageOf(uploadShape).strict().parse(list.body).items).toMatchObject([
    { key, state: 'stored', accountId: 'ann', size: 8, md5: '74b5b5e9570efc5c0553bb327cd41940' },
  ]);

  const { body: made, status } = await claim(ANN, [key]);
  expect(status).toBe(201);
  expect(packageShape.strict().parse(made)).toMatchObject({
    name: 'pump',
    version: '1.0.0',
    accountId: 'ann',
    moduleName: 'default',
    files: [{ key, size: 8 }],
  });

  const history = await call(gateway, ANN, 'get', uploadPath(key)).expect(200);
  expect(uploadHistoryShape.strict().parse(history.body)).toMatchObject({
    key,
    uploads: [{ state: 'claimed', firmwareId: made.firmwareId, packageName: 'pump' }],
    package: made,
  });

  const path = `/packages/${made.firmwareId}`;
  const { body } = await call(gateway, ANN, 'get', `${path}/urls?expires=1h`).expect(200);
  expect(body.urls).toMatchObject([{ key, expiresAt: expect.any(String) }]);
  expect(await (await gateway.fetch(body.urls[0].url)).text()).toBe('firmware');
  await call(gateway, ANN, 'get', `${path}/urls?expires=8d`).expect(400);

  await call(gateway, ANN, 'delete', path).expect(200, made);
  await call(gateway, ANN, 'get', path).expect(404);
  const after = await call(gateway, ANN, 'get', uploadPath(key)).expect(200);
  expect(after.body.uploads).toMatchObject([{ state: 'purging', purgeReason: 'deleted' }]);
});

it('keeps the request of each step and the peer, and shows the stored headers only in a history', async () => {
  const granted = await call(gateway, ANN, 'post', '/grants').send({}).expect(201);
  const { fields, key } = granted.body;
  const posted = await request(gateway.app)
    .post('/')
    .field({ ...fields, 'Cache-Control': 'no-cache' })
    .attach('file', Buffer.from('firmware'), 'a.bin')
    .expect(200);
  const steps = {
    issuedRequestId: granted.headers['x-request-id'],
    storedRequestId: posted.headers['x-oss-request-id'],
  };
  const stored = await call(gateway, ANN, 'get', uploadPath(key)).expect(200);
  const headers = expect.objectContaining({ 'cache-control': 'no-cache' });
  expect(stored.body.uploads).toMatchObject([{ state: 'stored', ...steps, headers }]);
  expect(isIP(stored.body.uploads[0].peer)).not.toBe(0);

  const claimed = await claim(ANN, [key]);
  const list = await call(gateway, ANN, 'get', '/uploads').expect(200);
  const [shown] = pageOf(uploadShape).strict().parse(list.body).items;
  const claimedRequestId = claimed.headers['x-request-id'];
  const claimedAt = claimed.body.createdAt;
  const { peer } = stored.body.uploads[0];
  expect(shown).toMatchObject({ ...steps, claimedRequestId, claimedAt, peer });
  expect(shown).not.toHaveProperty('headers');

  const path = `/packages/${claimed.body.firmwareId}`;
  const deleted = await call(gateway, ANN, 'delete', path).expect(200);
  const after = await call(gateway, ANN, 'get', uploadPath(key)).expect(200);
  const purgeRequestId = deleted.headers['x-request-id'];
  expect(after.body.uploads).toMatchObject([{ ...steps, claimedRequestId, purgeRequestId }]);
});

it('names the request that has deleted a stored upload', async () => {
  const key = await store(ANN);
  const deleted = await call(gateway, ANN, 'delete', uploadPath(key)).expect(200);
  const purgeRequestId = deleted.headers['x-request-id'];
  expect(deleted.body.uploads).toMatchObject([{ state: 'purging', purgeRequestId }]);
});

it('finds uploads by a digest, by the peer and by the name of the package', async () => {
  const key = await store(ANN);
  await store(ANN, 'other');
  await claim(ANN, [key], 'pump');
  const keysOf = async (q: string): Promise<string[]> => {
    const { body } = await call(gateway, ANN, 'get', `/uploads?q=${q}`).expect(200);
    return pageOf(uploadShape)
      .parse(body)
      .items.map((upload) => upload.key);
  };
  expect(await keysOf('74B5B5E9570EFC5C0553BB327CD41940')).toEqual([key]);
  expect(await keysOf('74b5b5')).toEqual([key]);
  expect(await keysOf('PUM')).toEqual([key]);
  expect(await keysOf('127.0.0.1')).toHaveLength(2);
});

it('shows the message that a device would get, with URLs that download the files', async () => {
  const key = await store(ANN);
  const { body: made } = await claim(ANN, [key]);
  const path = `/packages/${made.firmwareId}/message`;
  const { body } = await call(gateway, ANN, 'get', `${path}?expires=1h`).expect(200);
  expect(pushMessageShape.strict().parse(body)).toMatchObject({
    code: '1000',
    data: { size: 8, version: '1.0.0', signMethod: 'MD5', md5: '74b5b5e9570efc5c0553bb327cd41940' },
  });
  const expires = Number(new URL(body.data.url).searchParams.get('Expires'));
  expect(expires).toBe(Math.floor(body.id / 1000) + 3600);
  expect(await (await gateway.fetch(body.data.url)).text()).toBe('firmware');
  await call(gateway, OPS, 'get', path).expect(200);
  await call(gateway, BOB, 'get', path).expect(404);
  await call(gateway, ANN, 'get', `${path}?expires=8d`).expect(400);
});

it('claims several uploads as one package, for the account of the first one', async () => {
  const keys = [await store(ANN, 'one'), await store(ANN, 'two')];
  const { body } = await claim(OPS, keys);
  expect(body).toMatchObject({
    accountId: 'ann',
    files: keys.map((key) => ({ key, name: key.slice(key.lastIndexOf('/') + 1) })),
  });
  const { body: seen } = await call(gateway, ANN, 'get', '/packages?q=pum').expect(200);
  expect(seen).toEqual({ items: [body] });
  const { body: unseen } = await call(gateway, BOB, 'get', '/packages').expect(200);
  expect(unseen).toEqual({ items: [] });
});

it("refuses a claim with the platform's code, and changes nothing", async () => {
  const key = await store(ANN);
  const other = await store(ANN);
  await claim(ANN, [key]);
  const clash = await claim(ANN, [other]);
  expect(clash.status).toBe(409);
  expect(clash.body.error.code).toBe('iot.firmware.AlreadyExistedFirmwareName');
  const foreign = await claim(BOB, [other]);
  expect(foreign.body.error.code).toBe('iot.firmware.InvalidFirmwareUrl');
  const unnamed = await claim(ANN, [other], '');
  expect(unnamed.body.error.code).toBe('iot.firmware.NullFirmwareName');
  expect((await call(gateway, ANN, 'get', uploadPath(other))).body.uploads).toMatchObject([
    { state: 'stored' },
  ]);
});

it('deletes an upload that no package holds, at once and for good', async () => {
  const key = await store(ANN);
  await call(gateway, BOB, 'delete', uploadPath(key)).expect(404);
  const { body } = await call(gateway, ANN, 'delete', uploadPath(key)).expect(200);
  expect(body.uploads).toMatchObject([{ key, state: 'purging', purgeReason: 'deleted' }]);
  expect((await gateway.fetch(gateway.downloadUrl(key))).status).toBe(404);
  const again = await call(gateway, ANN, 'delete', uploadPath(key)).expect(409);
  expect(again.body.error).toMatchObject({ code: 'UploadNotStored' });
});

it('does not delete an upload that a package holds, or that has no file', async () => {
  const { body: grant } = await call(gateway, ANN, 'post', '/grants').send({ suffix: 'zip' });
  expect(grant.key).toMatch(/\.zip$/);
  const empty = await call(gateway, ANN, 'delete', uploadPath(grant.key)).expect(409);
  expect(empty.body.error.code).toBe('UploadNotStored');
  const key = await store(ANN);
  await claim(ANN, [key]);
  const held = await call(gateway, ANN, 'delete', uploadPath(key)).expect(409);
  expect(held.body.error).toMatchObject({ code: 'UploadClaimed', hint: 'delete the package' });
});

it("refuses a grant with the platform's code", async () => {
  const { body } = await call(gateway, ANN, 'post', '/grants').send({ suffix: 'exe' }).expect(409);
  expect(body.error.code).toBe('iot.firmware.InvalidGenerateOTAUploadURLParam');
});

it('says what a purge would do, and then does it', async () => {
  const due = await store(ANN);
  gateway.clock.advance({ minutes: 30 });
  await store(BOB);
  gateway.clock.advance({ minutes: 31 });
  const { body: soon } = await call(gateway, OPS, 'get', '/uploads?dueWithin=0s').expect(200);
  expect(soon.items).toMatchObject([{ key: due }]);
  const { body: plan } = await call(gateway, OPS, 'post', '/purge')
    .send({ dryRun: true })
    .expect(200);
  expect(purgeShape.strict().parse(plan)).toMatchObject({
    dryRun: true,
    purged: 1,
    bytes: 8,
    uploads: [{ key: due }],
  });
  await call(gateway, OPS, 'post', '/purge').expect(200, {
    dryRun: false,
    purged: 1,
    failed: 0,
    bytes: 8,
  });
  const { body: usage } = await call(gateway, OPS, 'get', '/usage').expect(200);
  expect(usageReportShape.strict().parse(usage)).toMatchObject({
    uploads: { stored: { count: 1, bytes: 8 }, purged: { count: 1, bytes: 8 } },
    bytes: 8,
  });
});

it('samples the usage while its jobs run, by the clock of the gateway', async () => {
  const report = async (query = '') => {
    const { body } = await call(gateway, OPS, 'get', `/usage${query}`).expect(200);
    return usageReportShape.strict().parse(body);
  };
  expect(await report()).toMatchObject({ samples: [], purge: {}, refusals: 0 });
  gateway.startJobs();
  await eventually(async () => (await report()).samples.length === 1);
  const none = { count: 0, bytes: 0 };
  const { purge, samples } = await report('?last=1h');
  expect(samples).toMatchObject([
    {
      ...{ at: '2024-01-01T00:00:00.000Z', packages: 0, bytes: 0, purgedUploads: 0 },
      uploads: { issued: none, stored: none, claimed: none, purging: none, purged: none },
    },
  ]);
  expect(purge.nextAt).toMatch(/^2024-01-01T00:0[01]:\d\d\.000Z$/);
  gateway.clock.advance({ minutes: 61 });
  expect(await report('?last=1h')).toMatchObject({ samples: [] });
  expect(await report('?last=90d')).toMatchObject({ samples: [{}] });
  await call(gateway, OPS, 'get', '/usage?last=91d').expect(400);
});

it('counts what was purged and refused, and when the purge ran', async () => {
  await store(ANN);
  gateway.clock.advance({ minutes: 61 });
  await gateway.fetch('/none');
  await gateway.purgeUnclaimed();
  const { body } = await call(gateway, OPS, 'get', '/usage').expect(200);
  expect(usageReportShape.strict().parse(body)).toMatchObject({
    refusals: 1,
    purges: { unclaimed: { count: 1, bytes: 8 }, deleted: { count: 0, bytes: 0 } },
    disk: { reserve: gateway.config.minFree },
    purge: { lastAt: '2024-01-01T01:01:00.000Z', outcome: 'done' },
  });
});

it('shows an account the limits of the settings and its own, with what it uses of them', async () => {
  const accounts = [
    { id: 'ann', accessKeys: [ANN], maxUploads: 7 },
    { id: 'ops', operator: true, accessKeys: [OPS], maxRate: 'off' as const },
  ];
  await gateway.close();
  const limits = { maxAccountBytes: '1MiB', maxAccountRate: 3, maxBucketUploads: 9 };
  gateway = await startWithOperator({ ...limits, parts: { accounts } });
  await store(ANN);
  const { body: ann } = await call(gateway, ANN, 'get', '/about').expect(200);
  expect(aboutShape.strict().parse(ann)).toMatchObject({
    limits: { maxBytes: 1024 ** 2, maxUploads: 7, maxConcurrent: 'off', maxRate: 3 },
    used: { uploads: 1, bytes: 8 },
  });
  expect(ann).not.toHaveProperty('bucketLimits');
  const { body: ops } = await call(gateway, OPS, 'get', '/about').expect(200);
  expect(aboutShape.strict().parse(ops)).toMatchObject({
    limits: { maxBytes: 1024 ** 2, maxUploads: 'off', maxRate: 'off' },
    used: { uploads: 0, bytes: 0 },
    bucketLimits: { maxUploads: 9, maxBytes: 'off', used: { uploads: 1, bytes: 8 } },
  });
});

it('finds what a reference names', async () => {
  const key = await store(ANN);
  const { body: made } = await claim(ANN, [key]);
  const find = (reference: string) =>
    call(gateway, ANN, 'get', `/resolve?reference=${encodeURIComponent(reference)}`);
  await find(gateway.downloadUrl(key)).expect(200, { kind: 'upload', key });
  await find('pump').expect(200, { kind: 'package', firmwareId: made.firmwareId });
  await find('nothing').expect(404);
});

it('lists the next page by the cursor of the one before', async () => {
  const keys = [await store(ANN), await store(ANN), await store(ANN)];
  const { body: first } = await call(gateway, ANN, 'get', '/uploads?limit=2').expect(200);
  const { body: rest } = await call(
    gateway,
    ANN,
    'get',
    `/uploads?limit=2&after=${first.next}`,
  ).expect(200);
  expect([...first.items, ...rest.items].map(({ key }) => key)).toEqual(keys.reverse());
  expect(rest).not.toHaveProperty('next');
});

it('reads its files again, and says how many accounts there are', async () => {
  await call(gateway, OPS, 'post', '/reload').expect(200, { accounts: 3 });
});

it('is used below the path of a host application', async () => {
  const app = express().use('/ota', gateway.app);
  const { body } = await request(app)
    .post('/ota/_gateway/api/grants')
    .auth(ANN.id, ANN.secret)
    .send({})
    .expect(201);
  expect(body.host).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ota$/);
  expect(body.firmwareUrl).toBe(`${body.host}/${body.key}`);
});
