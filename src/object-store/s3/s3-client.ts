import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { LifecycleRule, S3ClientConfig } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { ByteRange } from '../../uploads/ports.ts';
import type {
  ArrivingObject,
  Content,
  FoundObject,
  OpenUpload,
  Page,
  StoreClient,
  UploadExpiry,
  UploadPart,
} from './store-client.ts';
import { leavePayloadUnsigned, rememberDates, tryOnce } from './sdk-middleware.ts';
import { sendContent } from './send-content.ts';

/*
 * This is the only file that sends requests by the SDK, so that another client can take its place.
 */

/** Where a bucket is. It has what the settings say; this room does not know them. */
export interface BucketAddress {
  readonly bucket: string;
  /** Address of the store; absent: that of AWS for the region. */
  readonly endpoint?: string;
  /** Absent: what the environment of the SDK says, or `us-east-1` at an endpoint. */
  readonly region?: string;
  /** The bucket is in the path, instead of in the host. */
  readonly pathStyle: boolean;
}

/** How the store is reached. */
export interface S3ClientOptions {
  /** Absent: what the SDK finds in the environment, in its files, or at the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How long a connection, or a request, may stand still, in milliseconds. */
  readonly stallTimeout: number;
  /** How many requests are sent at the same time, without those that read bodies. */
  readonly sockets: number;
}

/** Prepares the client. Sends nothing. */
export function openS3Client(address: BucketAddress, options: S3ClientOptions): StoreClient {
  return new AwsClient(address, options);
}

function clientConfig(
  { endpoint, pathStyle, region }: BucketAddress,
  { credentials }: S3ClientOptions,
): S3ClientConfig {
  // Stores with an address of their own rarely look at the region.
  const given = region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return {
    ...(given !== undefined && { region: given }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    forcePathStyle: pathStyle,
    // Many stores know neither trailers nor chunked signatures.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
  };
}

class AwsClient implements StoreClient {
  readonly #client: S3Client;
  /** Has as many connections as there are readers: one that is slow must not keep uploads waiting. */
  readonly #reader: S3Client;
  readonly #bucket: string;
  /** @returns the store's clock in an answer */
  readonly #dateOf: (answer: object) => number;

  constructor(address: BucketAddress, options: S3ClientOptions) {
    const { sockets, stallTimeout } = options;
    const connect = (agent: { readonly maxSockets: number }): S3ClientConfig => ({
      requestHandler: {
        connectionTimeout: stallTimeout,
        socketTimeout: stallTimeout,
        httpAgent: { keepAlive: true, ...agent },
        httpsAgent: { keepAlive: true, ...agent },
      },
    });
    const config = clientConfig(address, options);
    this.#bucket = address.bucket;
    this.#client = new S3Client({ ...config, ...connect({ maxSockets: sockets }) });
    const { credentials } = this.#client.config;
    const many = connect({ maxSockets: Infinity });
    this.#reader = new S3Client({ ...config, credentials, ...many });
    for (const each of [this.#client, this.#reader]) {
      leavePayloadUnsigned(each);
      tryOnce(each);
    }
    this.#dateOf = rememberDates(this.#client);
  }

  async put(key: string, content: Content): Promise<void> {
    await sendContent(content, undefined, (body, abortSignal) =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#object(key),
          Body: body,
          ContentLength: content.size,
          ...(content.md5 !== undefined && { ContentMD5: toBase64(content.md5) }),
        }),
        { abortSignal },
      ),
    );
  }

  async startUpload(key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand(this.#object(key));
    return required((await this.#client.send(command)).UploadId, 'UploadId');
  }

  async putPart(
    key: string,
    { number, uploadId }: UploadPart,
    content: Content,
    signal: AbortSignal,
  ): Promise<string> {
    const { ETag } = await sendContent(content, signal, (body, abortSignal) =>
      this.#client.send(
        new UploadPartCommand({
          ...this.#object(key),
          UploadId: uploadId,
          PartNumber: number,
          Body: body,
          ContentLength: content.size,
        }),
        { abortSignal },
      ),
    );
    return required(ETag, 'ETag');
  }

  async completeUpload(key: string, uploadId: string, tags: readonly string[]): Promise<void> {
    const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    await this.#client.send(
      new CompleteMultipartUploadCommand({
        ...this.#object(key),
        UploadId: uploadId,
        MultipartUpload: { Parts },
      }),
    );
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    const upload = { ...this.#object(key), UploadId: uploadId };
    await this.#client.send(new AbortMultipartUploadCommand(upload));
  }

  async get(key: string, range?: ByteRange): Promise<ArrivingObject> {
    const wanted = range && { Range: `bytes=${range.start}-${range.end}` };
    const command = new GetObjectCommand({ ...this.#object(key), ...wanted });
    const { Body, ContentLength } = await this.#reader.send(command);
    if (!(Body instanceof Readable)) throw new Error('the SDK has returned no stream');
    // From now on the reader decides how fast the bytes come, so silence is no failure of the store.
    if (Body instanceof IncomingMessage) Body.socket.setTimeout(0);
    return { bytes: Body, size: required(ContentLength, 'Content-Length') };
  }

  async head(key: string): Promise<FoundObject & Pick<Page<unknown>, 'now'>> {
    const command = new HeadObjectCommand(this.#object(key));
    const found = await this.#client.send(command);
    return {
      key,
      size: required(found.ContentLength, 'Content-Length'),
      writtenAt: required(found.LastModified, 'Last-Modified').getTime(),
      etag: found.ETag?.replaceAll('"', ''),
      now: this.#dateOf(found),
    };
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(key)));
  }

  async list(prefix: string, next?: string): Promise<Page<FoundObject>> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(next !== undefined && { ContinuationToken: next }),
    });
    const found = await this.#client.send(command);
    const { Contents = [], NextContinuationToken: after } = found;
    const items = Contents.map(({ ETag, Key, LastModified, Size }) => ({
      key: required(Key, 'Key'),
      size: required(Size, 'Size'),
      writtenAt: required(LastModified, 'LastModified').getTime(),
      etag: ETag?.replaceAll('"', ''),
    }));
    return { items, now: this.#dateOf(found), ...(after !== undefined && { next: after }) };
  }

  async listUploads(prefix: string, next?: string): Promise<Page<OpenUpload>> {
    const [KeyMarker, UploadIdMarker] = next === undefined ? [] : uploadMarker.parse(next);
    const command = new ListMultipartUploadsCommand({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(KeyMarker !== undefined && { KeyMarker }),
      ...(UploadIdMarker !== undefined && { UploadIdMarker }),
    });
    const found = await this.#client.send(command);
    const items = (found.Uploads ?? []).map(({ Initiated, Key, UploadId }) => ({
      key: required(Key, 'Key'),
      uploadId: required(UploadId, 'UploadId'),
      startedAt: required(Initiated, 'Initiated').getTime(),
    }));
    const marker = JSON.stringify([found.NextKeyMarker, found.NextUploadIdMarker]);
    const now = this.#dateOf(found);
    return { items, now, ...(found.IsTruncated === true && { next: marker }) };
  }

  async expireUploads(prefix: string): Promise<UploadExpiry> {
    const Bucket = this.#bucket;
    const rules = await this.#lifecycleRules();
    if (rules.some((rule) => endsUploads(rule, prefix))) return 'present';
    // Writing rules replaces all of them, and another version of the SDK may not know everything in those of an operator.
    if (rules.length > 0) return 'others';
    const rule: LifecycleRule = {
      ID: 'unfinished-uploads',
      Status: 'Enabled',
      Filter: { Prefix: prefix },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    };
    await this.#client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: [rule] },
      }),
    );
    return 'set';
  }

  async checkBucket(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
  }

  close(): void {
    this.#client.destroy();
    this.#reader.destroy();
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  async #lifecycleRules(): Promise<readonly LifecycleRule[]> {
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket });
    try {
      return (await this.#client.send(command)).Rules ?? [];
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchLifecycleConfiguration') return [];
      throw error;
    }
  }
}

const uploadMarker = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.tuple([z.string().nullish(), z.string().nullish()]))
  .transform(([key, uploadId]) => [key ?? undefined, uploadId ?? undefined] as const);

/** Whether a rule ends unfinished uploads of all objects whose keys begin with a prefix. */
function endsUploads(
  { AbortIncompleteMultipartUpload, Filter }: LifecycleRule,
  prefix: string,
): boolean {
  const isForAll = Filter?.Prefix !== undefined && prefix.startsWith(Filter.Prefix);
  return AbortIncompleteMultipartUpload !== undefined && isForAll;
}

function required<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw new Error(`the store has answered without ${name}`);
}

function toBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
