import assert from 'node:assert/strict';
import { it } from 'mocha';
import { startTestGateway } from 'ota-upload-gateway/testing';
import sinon from 'sinon';
import { timerCases } from './use-kit.cjs';

const toNotFake = ['nextTick', 'queueMicrotask'];

let clock;
const timers = {
  fake: () => (clock = sinon.useFakeTimers({ now: new Date('2030-01-01'), toNotFake })),
  restore: () => clock.restore(),
};

for (const [name, run] of timerCases(startTestGateway, timers)) it(name, run);

for (const toFake of [undefined, ['nextTick'], ['queueMicrotask']]) {
  it(`each call is refused, with the cure, when Sinon fakes ${toFake ?? 'everything'}`, async () => {
    const gateway = await startTestGateway();
    const grant = await gateway.api.generateOTAUploadURL();
    clock = sinon.useFakeTimers(toFake && { toFake });
    const names = toFake ?? toNotFake;
    const refused = { message: new RegExp(`replaced ${names.join(' and ')}, .*toNotFake`) };
    try {
      await assert.rejects(startTestGateway(), refused);
      await assert.rejects(gateway.api.listOTAFirmware(), refused);
      await assert.rejects(gateway.apiFor(gateway.url).listOTAFirmware(), refused);
      await assert.rejects(gateway.postObject(grant, 'firmware'), refused);
      await assert.rejects(gateway.postObjectTo(gateway.url, grant, 'firmware'), refused);
      await assert.rejects(gateway.fetch('/'), refused);
      await assert.rejects(gateway.seed({ state: 'stored' }), refused);
      await assert.rejects(gateway.reset(), refused);
      await assert.rejects(gateway.close(), refused);
    } finally {
      clock.restore();
    }
    assert.equal((await gateway.postObject(grant, 'firmware')).status, 200);
    await gateway.close();
  });
}
