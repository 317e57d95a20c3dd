/** Why requests are refused, one name for each kind, in both dialects. Metrics have them as labels: keep them few. */
export const REFUSAL_REASONS = [
  ...(['signature_mismatch', 'unknown_access_key', 'disabled_access_key'] as const),
  ...(['security_token', 'anonymous', 'policy_invalid', 'policy_expired'] as const),
  ...(['condition_failed', 'uncovered_field', 'too_large', 'too_small', 'limit'] as const),
  ...(['disk_full', 'form_malformed', 'key_invalid', 'clock_skew', 'replayed'] as const),
  ...(['throttled', 'cors', 'immutable', 'exists', 'not_found', 'url_expired'] as const),
  ...(['claim_unknown', 'claim_late', 'claim_mismatch', 'claim_taken'] as const),
  ...(['callback_failed', 'precondition', 'unsupported', 'incomplete', 'overloaded'] as const),
  /** Who sends it may not do this, although its key is right or none is needed. */
  'forbidden',
  /** Bytes that are no HTTP request, and connections that take too much. */
  'not_http',
  /** A test has injected it. */
  'ordered_fault',
  /** A parameter, a field or a header that no other reason names. */
  'parameter',
  'internal',
] as const;

/** Why a request is refused. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];
