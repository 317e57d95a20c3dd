import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type {
  ArrivingObject,
  Content,
  FoundObject,
  Page,
  StoreClient,
} from '../../../../src/object-store/s3/store-client.ts';

interface Stored {
  readonly bytes: Buffer;
  readonly writtenAt: number;
  readonly etag?: string;
}

/** Pages are short, so that lists have several. */
const PAGE = 300;

function missing(): Error {
  return Object.assign(new Error('there is no such object'), { name: 'NoSuchKey' });
}

async function bytesOf(content: Content): Promise<Buffer> {
  const opened = content.open();
  const bytes = opened instanceof Readable ? await buffer(opened) : Buffer.from(opened);
  if (bytes.length !== content.size) throw new Error('the bytes are not as many as announced');
  return bytes;
}

/** A store in memory, which clients share. */
export class MemoryBucket {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, { key: string; parts: Buffer[]; startedAt: number }>();
  /** Runs before each request. */
  before: (operation: keyof StoreClient) => void = () => undefined;
  /** Runs after each request that has succeeded. */
  after: (operation: keyof StoreClient) => void = () => undefined;
  /** @returns the ETag of an object that is sent in one piece */
  etagOf = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
  #lastUpload = 0;

  connect(): StoreClient {
    const run = async <T>(operation: keyof StoreClient, work: () => T | Promise<T>): Promise<T> => {
      this.before(operation);
      const result = await work();
      this.after(operation);
      return result;
    };
    return {
      put: (key, content) =>
        run('put', async () => {
          const bytes = await bytesOf(content);
          this.#write(key, bytes, this.etagOf(bytes));
        }),
      startUpload: (key) =>
        run('startUpload', () => {
          const id = String(++this.#lastUpload);
          this.uploads.set(id, { key, parts: [], startedAt: Date.now() });
          return id;
        }),
      putPart: (_key, { number, uploadId }, content) =>
        run('putPart', async () => {
          const upload = this.#upload(uploadId);
          upload.parts[number - 1] = await bytesOf(content);
          return `tag-${String(number)}`;
        }),
      completeUpload: (key, id, tags) =>
        run('completeUpload', () => {
          const { parts } = this.#upload(id);
          if (parts.length !== tags.length) throw new Error('a part is missing');
          this.#write(key, Buffer.concat(parts), `${id}-${String(parts.length)}`);
          this.uploads.delete(id);
        }),
      abortUpload: (_key, id) =>
        run('abortUpload', () => {
          this.uploads.delete(id);
        }),
      get: (key, range) => run('get', () => this.#read(key, range)),
      head: (key) => run('head', () => ({ ...this.#describe(key), now: Date.now() })),
      delete: (key) =>
        run('delete', () => {
          this.objects.delete(key);
        }),
      list: (prefix, next) => run('list', () => this.#list(prefix, next ?? '')),
      listUploads: (prefix) =>
        run('listUploads', () => {
          const open = [...this.uploads].filter(([, { key }]) => key.startsWith(prefix));
          return { items: open.map(([uploadId, one]) => ({ uploadId, ...one })), now: Date.now() };
        }),
      expireUploads: () => run('expireUploads', () => 'others' as const),
      checkBucket: () => run('checkBucket', () => undefined),
      close: () => undefined,
    };
  }

  #write(key: string, bytes: Buffer, etag: string): void {
    this.objects.set(key, { bytes, writtenAt: Date.now(), etag });
  }

  #upload(id: string): { key: string; parts: Buffer[] } {
    const upload = this.uploads.get(id);
    if (upload === undefined) throw missing();
    return upload;
  }

  #describe(key: string): FoundObject {
    const found = this.objects.get(key);
    if (found === undefined) throw missing();
    const { bytes, ...others } = found;
    return { key, size: bytes.length, ...others };
  }

  #read(key: string, range?: { start: number; end: number }): ArrivingObject {
    const found = this.objects.get(key);
    if (found === undefined) throw missing();
    const bytes = range ? found.bytes.subarray(range.start, range.end + 1) : found.bytes;
    return { bytes: Readable.from(bytes.length > 0 ? [bytes] : []), size: bytes.length };
  }

  #list(prefix: string, after: string): Page<FoundObject> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
    const page = keys.sort().slice(0, PAGE);
    const items = page.map((key) => this.#describe(key));
    const next = page.length === PAGE ? page.at(-1) : undefined;
    return { items, now: Date.now(), ...(next !== undefined && { next }) };
  }
}
