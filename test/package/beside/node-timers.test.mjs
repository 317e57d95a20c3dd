import { mock, test } from 'node:test';
import { startTestGateway } from 'ota-upload-gateway/testing';
import { timerCases } from './use-kit.cjs';

const timers = {
  fake: () => mock.timers.enable({ now: new Date('2030-01-01') }),
  restore: () => mock.timers.reset(),
};

for (const [name, run] of timerCases(startTestGateway, timers)) test(name, { timeout: 5000 }, run);
