import { MemoryBudget } from '../../src/http/memory-budget.ts';
import type { MemoryShare } from '../../src/http/memory-budget.ts';

/** A budget without a limit. */
export function unboundedMemory(): MemoryBudget {
  return new MemoryBudget({ total: Infinity, free: 0, waitLimit: 0, maxWaiting: 0 });
}

/** The share of a request without a limit. */
export function plentyOfMemory(): MemoryShare {
  return unboundedMemory().open();
}
