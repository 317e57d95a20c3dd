/* global test */
import { startTestGateway } from 'ota-upload-gateway/testing';
import { interceptorCases } from './interceptor-cases.mjs';

const { jest } = import.meta;
const timers = {
  fake: () => jest.useFakeTimers({ now: new Date('2030-01-01') }),
  restore: () => jest.useRealTimers(),
};

for (const [name, run] of interceptorCases(startTestGateway, timers)) test(name, run);
