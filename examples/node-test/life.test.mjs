import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { startTestGateway } from 'ota-upload-gateway/testing';

let gateway;
before(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.reset());
after(() => gateway.close());

test('an upload can be claimed until its deadline, but not later', async () => {
  const inTime = await gateway.seed({ state: 'stored', age: { minutes: 59 } });
  const tooLate = await gateway.seed({ state: 'stored', age: { minutes: 60 } });
  const claim = ({ firmwareUrl }, firmwareName) =>
    gateway.api.createOTAFirmware({ firmwareName, destVersion: firmwareName, firmwareUrl });
  await claim(inTime, 'in-time');
  await assert.rejects(claim(tooLate, 'too-late'), { code: 'iot.firmware.InvalidFirmwareUrl' });
});

test('hooks call their listeners', async () => {
  const seen = [];
  gateway.onStored((key) => seen.push(['stored', key]));
  gateway.onPurged(({ key }) => seen.push(['purged', key]));
  const { key } = await gateway.seed({ state: 'purged' });
  assert.deepEqual(seen, [
    ['stored', key],
    ['purged', key],
  ]);
});

test('snapshots are the same in every run', async () => {
  await gateway.seed({ state: 'claimed', firmware: { firmwareName: 'lamp' } });
  const { time, packages } = await gateway.snapshot();
  assert.equal(time, '2024-01-01T00:00:00.000Z');
  assert.equal(packages[0].firmwareName, 'lamp');
  assert.equal(packages[0].files[0].md5, '74b5b5e9570efc5c0553bb327cd41940');
});

test('a suite of many tests takes no time', async (t) => {
  for (let run = 1; run <= 50; run += 1) {
    await t.test(`upload ${run}`, async () => {
      const { grant } = await gateway.seed({ state: 'issued' });
      assert.equal((await gateway.postObject(grant, `firmware ${run}`)).status, 200);
    });
  }
});
