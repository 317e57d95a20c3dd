/* What the screens say of an upload. */
import type { UploadShape } from '../../../operator/upload-shapes.ts';

export type UploadState = UploadShape['state'];

/** A stored upload that is purged within this time is marked. */
const SOON_MS = 5 * 60_000;

/** How long a stored upload still is there when it is not claimed. */
export interface Remaining {
  /** In milliseconds; not above zero: the next run of the purge takes it. */
  readonly left: number;
  /** Of the whole time: 1 at first, 0 at the end. */
  readonly share: number;
  readonly urgency: 'calm' | 'soon' | 'due';
}

/**
 * @param now - by the clock of the gateway, in Unix milliseconds
 * @returns undefined when the upload is not purged by time
 */
export function remainingOf(
  { claimUntil, storedAt }: UploadShape,
  now: number,
): Remaining | undefined {
  if (claimUntil === undefined || storedAt === undefined) return undefined;
  const end = Date.parse(claimUntil);
  const left = end - now;
  const whole = Math.max(end - Date.parse(storedAt), 1);
  return {
    left,
    share: Math.min(Math.max(left / whole, 0), 1),
    urgency: left <= 0 ? 'due' : left < SOON_MS ? 'soon' : 'calm',
  };
}

/** A step in the life of an upload. */
export interface Step {
  readonly state: UploadState;
  /** Absent: it is not known when. */
  readonly at?: string;
  readonly requestId?: string;
  /** Of the step that comes next unless something else happens: when at the latest. */
  readonly isAhead?: boolean;
}

/** @returns the steps that an upload has made, then the one that comes by time */
export function timelineOf(upload: UploadShape): readonly Step[] {
  const { claimUntil, claimedAt, issuedAt, policyExpiresAt, purgedAt, purgingSince, state } =
    upload;
  const step = (of: UploadState, at?: string, requestId?: string): Step => ({
    state: of,
    ...(at !== undefined && { at }),
    ...(requestId !== undefined && { requestId }),
  });
  const steps: readonly (Step | false)[] = [
    issuedAt !== undefined && step('issued', issuedAt, upload.issuedRequestId),
    upload.storedAt !== undefined && step('stored', upload.storedAt, upload.storedRequestId),
    (state === 'claimed' || claimedAt !== undefined) &&
      step('claimed', claimedAt, upload.claimedRequestId),
    purgingSince !== undefined && step('purging', purgingSince, upload.purgeRequestId),
    purgedAt !== undefined && step('purged', purgedAt),
    state === 'issued' &&
      policyExpiresAt !== undefined && { ...step('stored', policyExpiresAt), isAhead: true },
    state === 'stored' &&
      claimUntil !== undefined && { ...step('purged', claimUntil), isAhead: true },
  ];
  return steps.filter((each) => each !== false);
}

/** @returns the last part of a key, for a name of a file */
export function fileNameOf(key: string): string {
  return key.split('/').findLast((part) => part !== '') ?? 'firmware';
}
