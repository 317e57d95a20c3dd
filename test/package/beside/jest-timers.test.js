/* global jest, test */
const { startTestGateway } = require('ota-upload-gateway/testing');
const { timerCases } = require('./use-kit.cjs');

const timers = {
  fake: () => jest.useFakeTimers({ now: new Date('2030-01-01') }),
  restore: () => jest.useRealTimers(),
};

for (const [name, run] of timerCases(startTestGateway, timers)) test(name, run);
