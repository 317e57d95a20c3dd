import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Quota } from '../accounts/ports.ts';

/** Which quotas apply: `on`: the one of each operation; a number: this one for every operation; `off`: none. */
export type QuotaRule = 'on' | 'off' | number;

const PERIOD_MS = 1000;

/** Counts calls in memory, by real time. The first call of an account to an operation starts a period of one second. */
export function createQuota(): Quota {
  const limiters = new Map<number, RateLimiterMemory>();
  const limiterOf = (perSecond: number): RateLimiterMemory => {
    const limiter =
      limiters.get(perSecond) ??
      new RateLimiterMemory({ points: perSecond, duration: PERIOD_MS / 1000 });
    limiters.set(perSecond, limiter);
    return limiter;
  };
  return {
    take: async (accountId, operation, perSecond) => {
      try {
        await limiterOf(perSecond).consume(`${operation} ${accountId}`);
        return undefined;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return waitOf(refusal);
        throw refusal;
      }
    },
  };
}

/**
 * Limits the wait to a period: the limiter computes it from the wall clock, which may have been set, but ends a period
 * by a timer.
 */
function waitOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.min(Math.max(1, Math.ceil(msBeforeNext)), PERIOD_MS);
}
