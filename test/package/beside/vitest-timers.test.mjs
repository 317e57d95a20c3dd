import { createRequire } from 'node:module';
import { startTestGateway } from 'ota-upload-gateway/testing';
import { test, vi } from 'vitest';

const { timerCases } = createRequire(import.meta.url)('./use-kit.cjs');

const timers = {
  fake: () => vi.useFakeTimers({ now: new Date('2030-01-01') }),
  restore: () => vi.useRealTimers(),
};

for (const [name, run] of timerCases(startTestGateway, timers)) test(name, run);
