const assert = require('node:assert/strict');
const { Buffer } = require('node:buffer');

/** Large enough for a hash thread. */
const LARGE = Buffer.alloc(3_000_000, 'firmware');

/** Uses everything that the kit does without a port. */
async function useKit(gateway, bytes = Buffer.from('firmware')) {
  const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
  assert.equal((await gateway.postObject(grant, bytes)).status, 200);
  const { firmwareUrl } = grant;
  const wanted = { firmwareName: 'lamp', destVersion: '1', firmwareUrl };
  const { firmwareId } = await gateway.api.createOTAFirmware(wanted);
  const found = await gateway.api.queryOTAFirmware({ firmwareId });
  const downloaded = await gateway.fetch(found.firmwareUrl);
  assert.ok(Buffer.from(await downloaded.arrayBuffer()).equals(bytes));
  assert.equal((await gateway.fetch('/_gateway/health/ready')).status, 200);
  assert.equal((await gateway.fetch('/_gateway/nothing')).status, 404);
  await assert.rejects(gateway.api.queryOTAFirmware({ firmwareId: 'none' }), {
    name: 'ApiCallError',
  });

  const { grant: lost } = await gateway.seed({ state: 'issued' });
  gateway.faults.next('PostObject', { loseAnswer: true });
  await assert.rejects(gateway.postObject(lost, new Uint8Array([1, 2])), { code: 'ECONNRESET' });
  gateway.faults.next('GenerateOTAUploadURL', { delay: { milliseconds: 5 } });
  await gateway.seed({ state: 'stored' });
  await gateway.seed({ state: 'purged' });
  gateway.clock.advance({ minutes: 61 });
  assert.equal((await gateway.purgeUnclaimed()).failed, 0);
  assert.equal((await gateway.snapshot()).packages.length, 1);
  await gateway.reset();
}

/** Uses a port, as a client of other people does. */
async function usePort(gateway) {
  const { url } = await gateway.listen();
  const grant = await gateway.apiFor(url).generateOTAUploadURL();
  assert.equal((await gateway.postObjectTo(url, grant, 'firmware')).status, 200);
}

async function withGateway(startTestGateway, use) {
  const gateway = await startTestGateway();
  try {
    await use(gateway);
  } finally {
    await gateway.close();
  }
}

async function withFakeTimers({ fake, restore }, use) {
  fake();
  try {
    await use();
  } finally {
    restore();
  }
}

/**
 * @param startTestGateway - of the package
 * @param timers - `fake` and `restore` of a framework
 * @returns tests: names and functions
 */
function timerCases(startTestGateway, timers) {
  return [
    [
      'a gateway works that starts and ends with fake timers',
      () =>
        withFakeTimers(timers, () =>
          withGateway(startTestGateway, (gateway) => useKit(gateway, LARGE)),
        ),
    ],
    [
      'a gateway works whose timers are faked later',
      () =>
        withGateway(startTestGateway, (gateway) => withFakeTimers(timers, () => useKit(gateway))),
    ],
    [
      'a port works with fake timers',
      () => withFakeTimers(timers, () => withGateway(startTestGateway, usePort)),
    ],
  ];
}

module.exports = { timerCases, useKit, usePort, withFakeTimers, withGateway };
