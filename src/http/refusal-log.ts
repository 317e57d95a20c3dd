import type { Clock } from '../lib/clock.ts';
import { RecentLog, keptText } from '../lib/recent-log.ts';

/**
 * A request that was refused. It holds no secret, signature, token or policy: they are left out of the message, or the
 * message has its placeholder in their place.
 */
export interface Refusal {
  readonly dialect: 'iot' | 'oss';
  readonly code: string;
  /** What the client has read; at most 512 characters. */
  readonly message: string;
  /** The HTTP status. It is 200 for a call that its operation refused. */
  readonly status: number;
  readonly requestId: string;
  /** The action of the call, or the operation of OSS, e.g. `PostObject`; absent when the request has none. */
  readonly operation?: string;
  /** The object key, if the request names one. */
  readonly key?: string;
  /** The account of the access key that the call names, whether or not its signature is right. */
  readonly account?: string;
  /** By the gateway's clock, in Unix milliseconds. */
  readonly at: number;
}

/** A refusal as it is reported: of any length, and without a time. */
export type ReportedRefusal = Omit<Refusal, 'at' | 'operation' | 'key' | 'account'> &
  Record<'operation' | 'key' | 'account', string | undefined>;

/** Limits in characters. The longest object key has 1023 bytes. */
const LIMITS = { code: 128, message: 512, requestId: 64, operation: 64, key: 1023, account: 128 };

/** The last 1000 refused requests; at most about 2 KB each. */
export class RefusalLog extends RecentLog<Refusal> {
  /** Adds a refusal, with its texts cut. */
  report(refusal: ReportedRefusal, clock: Clock): void {
    const { account, dialect, key, operation, status } = refusal;
    this.add({
      dialect,
      code: keptText(refusal.code, LIMITS.code),
      message: keptText(withoutSecrets(refusal.message), LIMITS.message),
      status,
      requestId: keptText(refusal.requestId, LIMITS.requestId),
      ...(operation !== undefined && { operation: keptText(operation, LIMITS.operation) }),
      ...(key !== undefined && { key: keptText(key, LIMITS.key) }),
      ...(account !== undefined && { account: keptText(account, LIMITS.account) }),
      at: clock.now(),
    });
  }
}

/** Removes what may be a signed URL: a quoted text, the query of a URL, and its user. */
function withoutSecrets(message: string): string {
  return message
    .slice(0, 8 * LIMITS.message)
    .replace(/"[^"]*"?/g, '"..."')
    .replace(/\?[^\s"]*/g, '?...')
    .replace(/\/\/[^\s/@"]*@/g, '//');
}
