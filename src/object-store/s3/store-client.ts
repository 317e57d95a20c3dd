import type { Readable } from 'node:stream';
import type { ByteRange } from '../../uploads/ports.ts';

/** Bytes to send; each try opens them again. */
export interface Content {
  readonly size: number;
  /** Lower-case hexadecimal; the store refuses other bytes. Absent: not known. */
  readonly md5?: string;
  open(): Uint8Array | Readable;
}

/** The bytes of an object as they arrive. */
export interface ArrivingObject {
  readonly bytes: Readable;
  /** Of the requested range, in bytes. */
  readonly size: number;
}

/** An object of the store. */
export interface FoundObject {
  readonly key: string;
  readonly size: number;
  /** By the store's clock, in Unix milliseconds. */
  readonly writtenAt: number;
  /** The ETag without quotes: in most stores the MD5 of what was sent in one request. */
  readonly etag?: string | undefined;
}

/** A multipart upload that has not ended. */
export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  /** By the store's clock, in Unix milliseconds. */
  readonly startedAt: number;
}

/** Some of a list, in the order of the keys. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The store's clock when it answered, in Unix milliseconds. */
  readonly now: number;
  /** Where the next page begins; absent after the last one. */
  readonly next?: string;
}

/** `others`: the bucket has rules of its own, which are not changed. */
export type UploadExpiry = 'set' | 'present' | 'others';

/** One try of each request. Where there is no such object, the error has the name that the store gives. */
export interface StoreClient {
  put(key: string, content: Content): Promise<void>;
  /** @returns the id of a new multipart upload */
  startUpload(key: string): Promise<string>;
  /** @returns the tag that `completeUpload` needs */
  putPart(key: string, part: UploadPart, content: Content, signal: AbortSignal): Promise<string>;
  /** @param tags - of all parts, in their order */
  completeUpload(key: string, uploadId: string, tags: readonly string[]): Promise<void>;
  abortUpload(key: string, uploadId: string): Promise<void>;
  get(key: string, range?: ByteRange): Promise<ArrivingObject>;
  head(key: string): Promise<FoundObject & Pick<Page<unknown>, 'now'>>;
  /** Does nothing when there is no such object. */
  delete(key: string): Promise<void>;
  list(prefix: string, next?: string): Promise<Page<FoundObject>>;
  listUploads(prefix: string, next?: string): Promise<Page<OpenUpload>>;
  /** Lets the store end multipart uploads that stay open for a day. */
  expireUploads(prefix: string): Promise<UploadExpiry>;
  /** Asks whether the bucket exists and may be used. */
  checkBucket(): Promise<void>;
  close(): void;
}

/** Which part of which multipart upload; the first one has the number 1. */
export interface UploadPart {
  readonly uploadId: string;
  readonly number: number;
}
