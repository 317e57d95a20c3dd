import type { FaultPlan } from './fault-plan.ts';

/** Nothing goes wrong on purpose. */
export const noFaults: FaultPlan = { take: () => undefined };
