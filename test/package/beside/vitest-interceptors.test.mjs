import { startTestGateway } from 'ota-upload-gateway/testing';
import { test, vi } from 'vitest';
import { interceptorCases } from './interceptor-cases.mjs';

const timers = {
  fake: () => vi.useFakeTimers({ now: new Date('2030-01-01') }),
  restore: () => vi.useRealTimers(),
};

for (const [name, run] of interceptorCases(startTestGateway, timers)) test(name, run);
