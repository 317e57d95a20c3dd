import { createRequire } from 'node:module';
import { it } from 'mocha';
import { setupServer } from 'msw/node';
import sinon from 'sinon';
import { interceptorCases } from './interceptor-cases.mjs';

// Both interceptors are active while the kit is loaded.
const early = setupServer();
early.listen({ onUnhandledRequest: 'error' });
const { startTestGateway } = createRequire(import.meta.url)('ota-upload-gateway/testing');
early.close();

const toNotFake = ['nextTick', 'queueMicrotask'];

let clock;
const timers = {
  fake: () => (clock = sinon.useFakeTimers({ now: new Date('2030-01-01'), toNotFake })),
  restore: () => clock.restore(),
};

for (const [name, run] of interceptorCases(startTestGateway, timers)) it(name, run);
