/** The parts of ali-oss that tests use as an oracle; the package has no types of its own. */
export interface AliOss {
  calculatePostSignature(policy: object | string): {
    OSSAccessKeyId: string;
    Signature: string;
    policy: string;
  };
  signPostObjectPolicyV4(policy: object | string, date: Date): string;
  signatureUrl(name: string, options?: Record<string, unknown>): string;
  signatureUrlV4(
    method: string,
    expires: number,
    request: { headers?: Record<string, string>; queries?: Record<string, string> } | undefined,
    objectName: string,
    additionalHeaders?: string[],
  ): Promise<string>;
}

/** Its functions for header signatures. */
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
  region: string;
  stsToken?: string;
}

/** @returns a client; nothing that the interface above offers uses the network. */
export function aliOss(options: AliOssOptions): AliOss {
  const Client = jest.requireActual<new (options: AliOssOptions) => AliOss>('ali-oss');
  return new Client(options);
}

export const aliOssSignUtils = jest.requireActual<AliOssSignUtils>(
  'ali-oss/lib/common/signUtils.js',
);
