import type { ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import type { LimitedLog } from '../lib/limited-log.ts';
import { RecentLog } from '../lib/recent-log.ts';
import { DIFFERENCES } from './differences.ts';
import type { Difference, DifferenceCode } from './differences.ts';
import { ossError } from './errors.ts';
import type { ErrorElements, OssError, OssErrorName } from './errors.ts';

/** `strict` refuses what OSS refuses; `lenient` accepts what the gateway can read, and gives a notice. */
export type FidelityMode = 'lenient' | 'strict';

/** A request that OSS would have treated differently. */
export interface Notice {
  readonly code: DifferenceCode;
  /** What the client did. */
  readonly behavior: string;
  /** What OSS does then. */
  readonly oss: string;
  readonly requestId: string;
  /** By the gateway's clock, in Unix milliseconds. */
  readonly at: number;
}

/** The latest notices. */
export class NoticeLog extends RecentLog<Notice> {}

/** A difference that a request has met. */
export interface MetDifference {
  readonly code: DifferenceCode;
  /** Further elements of the refusal. */
  readonly elements?: ErrorElements;
}

/** Decides about requests that meet a difference from OSS. */
export interface Fidelity {
  /**
   * Refuses a request if OSS does and the gateway is strict; the error has the code in the element `Difference`, which
   * is ours. Otherwise reports a notice: in the response header {@link NOTICE_HEADER} unless the response has begun, in
   * the log, and in the list of notices.
   * @throws OssError
   */
  meet(difference: MetDifference, requestId: string, response: ServerResponse): void;
}

/** Ours: the codes of the differences that a request has met, separated by commas. */
const NOTICE_HEADER = 'x-ota-gateway-notice';

export function createFidelity(
  mode: FidelityMode,
  { clock, log, notices }: { clock: Clock; log: LimitedLog; notices: NoticeLog },
): Fidelity {
  const isStrict = mode === 'strict';
  return {
    meet: ({ code, elements = {} }, requestId, response) => {
      const { behavior, oss, refusal }: Difference = DIFFERENCES[code];
      if (isStrict && refusal !== undefined) {
        throw ossError(refusal, { elements: { ...elements, Difference: code } });
      }
      const notice = { code, behavior, oss, requestId, at: clock.now() };
      addToHeader(response, code);
      log.info({ requestId, notice: code }, `OSS would treat this differently: ${behavior}`);
      notices.add(notice);
    },
  };
}

const OWN_REFUSALS: ReadonlyMap<OssErrorName, DifferenceCode> = new Map(
  Object.entries<Difference>(DIFFERENCES).flatMap(([code, { ownRefusal }]) =>
    ownRefusal !== undefined && isDifferenceCode(code) ? [[ownRefusal, code] as const] : [],
  ),
);

function isDifferenceCode(code: string): code is DifferenceCode {
  return Object.hasOwn(DIFFERENCES, code);
}

/** @returns the difference because of which the gateway refuses what OSS accepts; undefined for other errors */
export function differenceOf({ row }: OssError): DifferenceCode | undefined {
  return OWN_REFUSALS.get(row);
}

function addToHeader(response: ServerResponse, code: DifferenceCode): void {
  if (response.headersSent) return;
  const present = response.getHeader(NOTICE_HEADER);
  const codes = typeof present === 'string' ? present.split(', ') : [];
  if (!codes.includes(code)) response.setHeader(NOTICE_HEADER, [...codes, code].join(', '));
}
