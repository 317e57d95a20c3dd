/** What is known of a request when its response has ended. */
export interface RequestRecord {
  readonly requestId: string;
  /** Of a valid `traceparent` header (W3C Trace Context). */
  readonly traceId: string | undefined;
  /** `http`: refused before it reached a dialect. */
  readonly dialect: Dialect;
  readonly operation: string | undefined;
  /** `OK`, or the dialect's own code: an IoT call that is refused has the status 200. */
  readonly code: string;
  /** The HTTP status; 0 when no response was sent. */
  readonly status: number;
  /** Why it was refused; undefined for a success. */
  readonly reason: string | undefined;
  readonly account: string | undefined;
  /** The object keys that it names. */
  readonly keys: readonly string[];
  /** The state of the upload before and after it, when it has changed it. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Bytes of both bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From the head of the request to the end of its response, in milliseconds. */
  readonly ms: number;
  /** The address of the client. */
  readonly peer: string | undefined;
  /** By the machine's clock, in Unix milliseconds. */
  readonly at: number;
}

/** Who handles a request. */
export type Dialect = 'iot' | 'oss' | 'operator' | 'http';
