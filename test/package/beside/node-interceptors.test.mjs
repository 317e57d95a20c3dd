import { mock, test } from 'node:test';
// nock intercepts as soon as it is imported; here that is before the kit is.
import { interceptorCases } from './interceptor-cases.mjs';
import { startTestGateway } from 'ota-upload-gateway/testing';

const timers = {
  fake: () => mock.timers.enable({ now: new Date('2030-01-01') }),
  restore: () => mock.timers.reset(),
};

for (const [name, run] of interceptorCases(startTestGateway, timers)) {
  test(name, { timeout: 5000 }, run);
}
