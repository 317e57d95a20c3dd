import type { RefusalReason } from './refusal-reason.ts';

/** Which refusals to group. */
export interface RefusalGroupQuery {
  /** Absent: those of all accounts. */
  readonly account?: string;
  /** Only those since this time, in Unix milliseconds. */
  readonly since?: number;
  /** How many groups, those with the newest refusals first. */
  readonly limit: number;
}

/** Refused requests with the same reason, code and operation. */
export interface RefusalGroup {
  readonly reason: RefusalReason;
  readonly code: string;
  readonly operation?: string;
  /** Requests, also those that were refused like another one. */
  readonly count: number;
  /** The time of the newest one, in Unix milliseconds. */
  readonly lastAt: number;
  /** The id of the newest one. */
  readonly requestId: string;
  /** Who has sent them: the accounts, or the peers where there is no account, or one account is asked for. */
  readonly who: { readonly count: number; readonly names: readonly string[] };
}

/** How many names a group has at most. */
export const MAX_NAMES = 3;
