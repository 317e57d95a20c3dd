/** The parts of a request for a bucket or an object that are signed; the same for every way to address the bucket. */
export interface SignableRequest {
  readonly method: string;
  /** Empty for a request that addresses no bucket. */
  readonly bucket: string;
  /** Decoded, without a leading slash; undefined for the bucket itself. */
  readonly key: string | undefined;
  /** Decoded pairs of the query, the signing parameters included. */
  readonly query: Iterable<readonly [string, string]>;
  /** Lower-case name -> value. */
  readonly headers: ReadonlyMap<string, string>;
}

/** @returns `/`, `/bucket/` or `/bucket/key`, not encoded */
export function resourcePath({ bucket, key }: Pick<SignableRequest, 'bucket' | 'key'>): string {
  return bucket === '' ? '/' : `/${bucket}/${key ?? ''}`;
}

/** @returns the value of a header without surrounding white space; empty when it is absent */
export function headerValue(headers: ReadonlyMap<string, string>, name: string): string {
  return (headers.get(name) ?? '').trim();
}

/** Headers with this prefix are always signed. */
export const OSS_PREFIX = 'x-oss-';
