import { Lane } from './lane.ts';
import { SINGLE_PUT_BYTES } from './part-sizes.ts';
import { fileContent } from './spool.ts';
import type { StoreCalls } from './store-calls.ts';
import { unlessAbsent } from './store-calls.ts';
import type { StoreClient } from './store-client.ts';

/** Where a body goes, and how. */
export interface MultipartTarget {
  readonly calls: StoreCalls;
  readonly client: StoreClient;
  readonly key: string;
  /** The file that the parts are read from. */
  readonly path: string;
  /** In bytes. */
  readonly partSize: number;
  /** How many parts are sent at the same time. */
  readonly atOnce: number;
}

/** Sends a body in parts while its file is being written, once it is too large for one request. */
export class MultipartUpload {
  readonly #target: MultipartTarget;
  readonly #lane: Lane;
  readonly #stopping = new AbortController();
  #uploadId: Promise<string> | undefined;
  readonly #tags: Promise<string>[] = [];
  /** Bytes that the parts so far have together. */
  #assigned = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(target: MultipartTarget) {
    this.#target = target;
    this.#lane = new Lane(target.atOnce);
  }

  /**
   * Sends the parts that the file has now.
   * @param written - bytes of the file that can be read
   * @throws the error of a part that could not be sent
   */
  advance(written: number): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (written <= SINGLE_PUT_BYTES) return;
    while (written - this.#assigned >= this.#target.partSize) this.#sendNext(this.#target.partSize);
  }

  /**
   * Sends the last part, waits for all, and lets the store join them.
   * @param onSend - is called before the object may exist
   */
  async complete(size: number, onSend: () => void = () => undefined): Promise<void> {
    if (size > this.#assigned) this.#sendNext(size - this.#assigned);
    const uploadId = await this.#id();
    const tags = await Promise.all(this.#tags);
    const { calls, client, key } = this.#target;
    onSend();
    const completed = calls.request(async () => {
      await client.completeUpload(key, uploadId, tags);
      return true;
    });
    if ((await unlessAbsent(completed)) === true) return;
    // An earlier try has completed it, but its answer was lost.
    const found = await unlessAbsent(calls.request(() => client.head(key)));
    if (found?.size !== size) throw new Error(`the store has lost the multipart upload of ${key}`);
  }

  /** Ends what is being sent, and lets the store forget it. */
  async abort(): Promise<void> {
    this.#stopping.abort();
    const uploadId = await this.#uploadId?.catch(() => undefined);
    await Promise.allSettled(this.#tags);
    if (uploadId === undefined) return;
    const { calls, client, key } = this.#target;
    await unlessAbsent(calls.request(() => client.abortUpload(key, uploadId)));
  }

  #id(): Promise<string> {
    const { calls, client, key } = this.#target;
    return (this.#uploadId ??= calls.request(() => client.startUpload(key)));
  }

  #sendNext(size: number): void {
    const start = this.#assigned;
    this.#assigned += size;
    const number = this.#tags.length + 1;
    const tag = this.#lane.run(async () => {
      const { calls, client, key, path } = this.#target;
      const { signal } = this.#stopping;
      const uploadId = await this.#id();
      signal.throwIfAborted();
      const content = fileContent(path, start, size);
      return calls.part(() => client.putPart(key, { uploadId, number }, content, signal));
    });
    this.#tags.push(tag);
    tag.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }
}
