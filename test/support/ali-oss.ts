import type { Readable } from 'node:stream';

/** The part of a response that ali-oss returns. */
export interface AliOssResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The parts of ali-oss that tests use, as a client and as a reference; the package has no types. */
export interface AliOss {
  put(key: string, body: Buffer, options?: object): Promise<{ readonly res: AliOssResponse }>;
  putStream(
    key: string,
    body: Readable,
    options?: object,
  ): Promise<{ readonly res: AliOssResponse }>;
  get(key: string, options?: object): Promise<{ readonly content: Buffer }>;
  getStream(key: string, options?: object): Promise<{ readonly stream: Readable }>;
  head(key: string): Promise<{
    readonly meta: Readonly<Record<string, string>> | null;
    readonly res: AliOssResponse;
  }>;
  getObjectMeta(key: string): Promise<{ readonly res: AliOssResponse }>;
  delete(key: string): Promise<{ readonly res: AliOssResponse }>;
  calculatePostSignature(policy: object | string): {
    OSSAccessKeyId: string;
    Signature: string;
    policy: string;
  };
  signPostObjectPolicyV4(policy: object | string, date: Date): string;
  /** @param options - `expires` in seconds. Works only with a host name. */
  signatureUrl(name: string, options?: Record<string, unknown>): string;
  signatureUrlV4(
    method: string,
    expires: number,
    request: { headers?: Record<string, string>; queries?: Record<string, string> } | undefined,
    objectName: string,
    additionalHeaders?: string[],
  ): Promise<string>;
}

/** The functions of ali-oss for header signatures. */
export interface AliOssSignUtils {
  buildCanonicalString(
    method: string,
    resourcePath: string,
    request: { headers: Record<string, string>; parameters?: Record<string, string> },
    expires?: string,
  ): string;
  authorization(accessKeyId: string, secret: string, canonicalString: string): string;
  authorizationV4(
    accessKeyId: string,
    secret: string,
    region: string,
    method: string,
    request: { headers: Record<string, string>; queries?: Record<string, string> },
    bucketName: string,
    objectName: string,
    additionalHeaders?: string[],
  ): string;
}

export interface AliOssOptions {
  accessKeyId: string;
  accessKeySecret: string;
  bucket: string;
  /** With the prefix `oss-`. */
  region: string;
  /** Absent for a client that only signs. */
  endpoint?: string;
  /** The endpoint is the bucket's own host. */
  cname?: boolean;
  authorizationV4?: boolean;
  stsToken?: string;
}

/** @returns a client */
export function aliOss(options: AliOssOptions): AliOss {
  const Client = jest.requireActual<new (options: AliOssOptions) => AliOss>('ali-oss');
  return new Client(options);
}

export const aliOssSignUtils = jest.requireActual<AliOssSignUtils>(
  'ali-oss/lib/common/signUtils.js',
);
