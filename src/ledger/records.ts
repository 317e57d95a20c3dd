import type { NonceMemory } from '../accounts/ports.ts';
import type { RefusalStore } from '../refusals/refusal-journal.ts';
import type { UploadLedger } from '../uploads/ports.ts';
import type { UsageHistory } from '../uploads/usage-history.ts';

/** Where the gateway keeps its records. */
export interface Records {
  readonly ledger: UploadLedger;
  readonly nonces: NonceMemory;
  /** What was refused. Absent: it is not kept. */
  readonly refusals?: RefusalStore;
  /** How much there was over time. Absent: it is not kept. */
  readonly usage?: UsageHistory;
}
