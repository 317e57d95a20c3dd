import type { NonceMemory, Quota } from '../accounts/ports.ts';
import type { RefusalStore } from '../refusals/refusal-journal.ts';
import type { UploadLedger } from '../uploads/ports.ts';
import type { SharedState } from '../uploads/shared-state.ts';
import type { UsageHistory } from '../uploads/usage-history.ts';

/** Where the gateway keeps its records. */
export interface Records {
  readonly ledger: UploadLedger;
  readonly nonces: NonceMemory;
  /** What was refused. Absent: it is not kept. */
  readonly refusals?: RefusalStore;
  /** How much there was over time. Absent: it is not kept. */
  readonly usage?: UsageHistory;
  /** Counts the calls of all gateways that share the records. Absent: each counts its own. */
  readonly quota?: Quota;
  /** Absent: no other gateway uses the records. */
  readonly shared?: SharedState | undefined;
}
