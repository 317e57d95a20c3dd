import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Quota } from '../accounts/ports.ts';

/** Which quotas hold: each operation's own, one number for all of them, or none. */
export type QuotaRule = 'on' | 'off' | number;

const PERIOD_MS = 1000;

/** Counts calls in memory, in real time: an account and operation start a new second with their first call. */
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

/** The limiter takes the wait from the wall clock, which may have been set; its timer ends a period by real time. */
function waitOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.min(Math.max(1, Math.ceil(msBeforeNext)), PERIOD_MS);
}
