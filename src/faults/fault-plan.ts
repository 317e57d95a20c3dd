/** A request that has passed every check and will be carried out next. */
export interface FaultSubject {
  /** An operation of OSS, e.g. `PostObject`, or the `Action` of an API call. */
  readonly operation: string;
  /** The object key; only of an operation of OSS. */
  readonly key?: string;
}

/** How a request fails. Counts are bytes. */
export type Fault =
  /** The request is refused. `details` fill in the parts of the error beside its code. */
  | {
      readonly kind: 'refuse';
      readonly code: string;
      readonly message?: string;
      readonly details: Readonly<Record<string, string>>;
    }
  /** The connection is reset after that many bytes of the file were received or sent; nothing is carried out. */
  | { readonly kind: 'reset'; readonly after: number }
  /** The file stops for a time in milliseconds; without a time, until the client gives up. */
  | { readonly kind: 'stall'; readonly after: number; readonly time?: number }
  /** The file is received or sent at this speed at most. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The request is carried out after a time in milliseconds. */
  | { readonly kind: 'delay'; readonly time: number }
  /** The request is carried out; the response ends after that many bytes, counted from the status line on. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** The request is carried out; the connection is reset instead of a response. */
  | { readonly kind: 'loseAnswer' };

/** Decides which requests fail on purpose. */
export interface FaultPlan {
  /** Called once for each request. @returns the fault of the request; undefined for none */
  take(subject: FaultSubject): Fault | undefined;
}
