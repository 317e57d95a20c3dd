import type { RetryRule } from './retry.ts';

const MIB = 1024 * 1024;

/** Bounds of what the gateway asks of a store. Times are in milliseconds. */
export interface StoreLimits {
  readonly retry: RetryRule;
  /** How long one try may stand still. */
  readonly stallTimeout: number;
  /** How often a body that breaks off while it is read is gone on with. */
  readonly resumptions: number;
  /** Memory for the bodies that are gathered and sent from memory, in bytes. */
  readonly memory: number;
  /** How long a body waits for memory. */
  readonly memoryPatience: number;
  /** How many requests are sent at the same time, without parts and without those that read bodies. */
  readonly requests: number;
  /** How long requests wait while none of those before them ends. */
  readonly requestPatience: number;
  /** How many parts are sent at the same time. */
  readonly parts: number;
  readonly partsOfOneUpload: number;
  readonly partPatience: number;
  /** How long a stop waits for the end of what is deleted in the background. */
  readonly closeTimeout: number;
}

export const STORE_LIMITS: StoreLimits = {
  // A store that never answers costs a client the tries and the waits between them: about 15 seconds.
  retry: { tries: 3, delay: 200 },
  stallTimeout: 5000,
  resumptions: 3,
  memory: 64 * MIB,
  memoryPatience: 5000,
  requests: 24,
  requestPatience: 5000,
  parts: 8,
  partsOfOneUpload: 4,
  // A part may take this long on a slow line.
  partPatience: 60_000,
  closeTimeout: 5000,
};
