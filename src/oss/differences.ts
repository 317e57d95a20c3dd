import type { OssErrorName } from './errors.ts';

/** A behavior that is known of OSS, and that the gateway deviates from on purpose. */
export interface Difference {
  /** What the client or its user does. */
  readonly behavior: string;
  /** What OSS does. */
  readonly oss: string;
  /** What the gateway does when its fidelity is `lenient`. */
  readonly lenient: string;
  /** What OSS refuses such a request with, and the gateway too when its fidelity is `strict`. */
  readonly refusal?: OssErrorName;
  /** What the gateway refuses such a request with, in both modes, where OSS would accept it. */
  readonly ownRefusal?: OssErrorName;
  readonly source: string;
}

/**
 * Every difference from OSS, by its code. A request that meets one gets a notice with the code, see `Fidelity`. To add
 * one, add a row here, and call `meet` where the behavior is.
 */
export const DIFFERENCES = {
  PartHeaderOrder: {
    behavior: 'another header before `Content-Disposition` in a part, e.g. `Content-Type`',
    oss: 'refuses it',
    lenient: 'accepts it',
    refusal: 'MalformedPOSTRequest.partHeader',
    source:
      'page of EC 0006-00000109; seen live for the file: cfug/dio#534, dart-lang/http#676, #1772',
  },
  FilePartHeader: {
    behavior:
      'headers of the file part other than `Content-Disposition`, then `Content-Type`, then `Content-Length` or `Content-Transfer-Encoding: binary`, `8bit` or `7bit`',
    oss: 'refuses it',
    lenient: 'ignores them, and does not decode the file',
    refusal: 'InvalidArgument.filePartHeader',
    source:
      "400 page. The two headers at the end are in the Java sample of GenerateOTAUploadURL, and OkHttp writes one for Alibaba's own DashScope SDK. That their place matters is unverified",
  },
  FilePartMultipart: {
    behavior: 'a file part of the type `multipart/...`',
    oss: 'refuses it',
    lenient: 'stores it',
    refusal: 'MalformedPOSTRequest',
    source: 'seen live once, cause not known: android-async-http#1158',
  },
  ExtendedFilename: {
    behavior: '`filename*=` on the file part',
    oss: 'does not recognize the file, and takes it for a field',
    lenient: 'accepts it, and reads the name',
    refusal: 'FieldItemTooLong',
    source: 'recorded error of a live upload of a large file; for a small one unverified',
  },
  QuotedBoundary: {
    behavior: 'a boundary in quotes',
    oss: 'refuses it',
    lenient: 'accepts it',
    refusal: 'MalformedPOSTRequest',
    source: 'seen live with Qt: blog.csdn.net 118416899',
  },
  PathStyle: {
    behavior: 'the bucket in the path instead of the host',
    oss: 'refuses it',
    lenient: 'accepts it, so that one port is enough',
    refusal: 'SecondLevelDomainForbidden',
    source: '403 page',
  },
  PrivateCallback: {
    behavior: 'a callback to a private address',
    oss: 'refuses it',
    lenient: 'allows it for hosts that the operator names; the test kit names loopback',
    refusal: 'InvalidArgument.callbackAddress',
    source: '400 page',
  },
  UnsignedCallback: {
    behavior: 'a callback',
    oss: 'signs it with RSA, in the header `authorization`',
    lenient: "does not sign it, because the gateway has no key of Alibaba's",
    source: 'Callback reference',
  },
  UncoveredCallback: {
    behavior: 'a callback without a condition in the policy',
    oss: 'makes it, unchecked',
    lenient:
      'refuses it with `AccessDenied`, unless `OTA_GATEWAY_UNSIGNED_CALLBACKS` is on; the test kit switches it on',
    ownRefusal: 'AccessDenied.callbackNotInPolicy',
    source: 'Callback reference',
  },
  CallbackHost: {
    behavior: 'a callback with a `callbackHost` other than the host of its URL',
    oss: 'accepts any',
    lenient: 'refuses names that the operator has not named, if the URL has a named host',
    ownRefusal: 'InvalidArgument.callbackHost',
    source: 'Callback reference',
  },
  StoredHeaders: {
    behavior: 'more than 8 KiB of headers to store with an object',
    oss: 'allows 8 KiB of user metadata',
    lenient: 'allows 8 KiB for all of them together',
    ownRefusal: 'InvalidArgument.headersTooLarge',
    source: 'PostObject page',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** The code of a difference from OSS. */
export type DifferenceCode = keyof typeof DIFFERENCES;
