import type { FaultPlan } from '../ports.ts';

/** Nothing goes wrong on purpose. */
export const noFaults: FaultPlan = { take: () => undefined };
