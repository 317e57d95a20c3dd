import type { Clock } from '../lib/clock.ts';
import { RecentLog } from '../lib/recent-log.ts';
import type { RefusalRecord, RefusalReporter } from './refusal-record.ts';

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

/** The last 1000 refused requests of the two dialects, for tests; at most about 2 KB each. */
export class RefusalLog extends RecentLog<Refusal> {
  /** @returns a reporter whose times are those of a clock */
  by(clock: Clock): RefusalReporter {
    return {
      report: (refusal) => {
        this.#report(refusal, clock.now());
        return true;
      },
    };
  }

  #report({ dialect, ...refusal }: RefusalRecord, at: number): void {
    if (dialect !== 'iot' && dialect !== 'oss') return;
    const { account, code, key, message, operation, requestId, status } = refusal;
    this.add({
      ...{ dialect, code, message, status, requestId },
      ...(operation !== undefined && { operation }),
      ...(key !== undefined && { key }),
      ...(account !== undefined && dialect === 'iot' && { account }),
      at,
    });
  }
}
