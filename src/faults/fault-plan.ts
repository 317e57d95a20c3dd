/** A request that is about to be carried out: everything that real dialects check first has passed. */
export interface FaultSubject {
  /** `PostObject`, or the `Action` of an API call. */
  readonly operation: string;
  /** The object key; only of PostObject. */
  readonly key?: string;
}

/** What goes wrong with a request. Counts are bytes. */
export type Fault =
  /** It is refused. `details` fill in what the error says beside its code. */
  | {
      readonly kind: 'refuse';
      readonly code: string;
      readonly message?: string;
      readonly details: Readonly<Record<string, string>>;
    }
  /** The connection is reset once so much of the file was read; nothing is carried out. */
  | { readonly kind: 'reset'; readonly after: number }
  /** Reading stops for a time in milliseconds; without one, until the client gives up. */
  | { readonly kind: 'stall'; readonly after: number; readonly time?: number }
  /** The file is read no faster. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** It is carried out later, after a time in milliseconds. */
  | { readonly kind: 'delay'; readonly time: number }
  /** It is carried out; the answer ends after so many bytes, its head included. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** It is carried out; instead of an answer the connection is reset. */
  | { readonly kind: 'loseAnswer' };

/** Decides which requests fail on purpose. */
export interface FaultPlan {
  /** Is asked once for each request. @returns what goes wrong with it, if anything */
  take(subject: FaultSubject): Fault | undefined;
}
