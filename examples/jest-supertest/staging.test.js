const { startTestGateway } = require('ota-upload-gateway/testing');
const request = require('supertest');

let gateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.reset());
afterAll(() => gateway.close());

it('purges what was never claimed', async () => {
  const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
  expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 200 });
  gateway.clock.advance({ minutes: 61 });
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1 });
});

it('keeps what was claimed, and lets devices download it', async () => {
  const { firmwareUrl } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
  const { firmwareId } = await gateway.api.createOTAFirmware({
    firmwareName: 'lamp',
    destVersion: '1.0.0',
    firmwareUrl,
    firmwareSize: 8,
  });
  gateway.clock.advance({ days: 1 });
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 0 });

  const info = await gateway.api.queryOTAFirmware({ firmwareId });
  const download = await gateway.fetch(info.firmwareUrl);
  expect(await download.text()).toBe('firmware');
});

it('works with supertest', async () => {
  const signed = gateway.api.sign('GenerateOTAUploadURL', { fileSuffix: 'bin' });
  const { body } = await request(gateway.app).post(signed.url).set(signed.headers).expect(200);
  await request(gateway.app)
    .post('/')
    .field({
      key: body.Data.Key,
      policy: body.Data.Policy,
      OSSAccessKeyId: body.Data.OSSAccessKeyId,
      signature: body.Data.Signature,
      success_action_status: '200',
    })
    .attach('file', Buffer.from('firmware'), 'firmware.bin')
    .expect(200);
  expect(await gateway.snapshot()).toMatchObject({
    uploads: [{ key: body.Data.Key, state: 'stored', size: 8 }],
  });
});

it('refuses a form after its minute', async () => {
  const { grant } = await gateway.seed({ state: 'issued', age: { seconds: 60 } });
  expect(await gateway.postObject(grant, 'late')).toMatchObject({
    status: 403,
    code: 'AccessDenied',
  });
});
