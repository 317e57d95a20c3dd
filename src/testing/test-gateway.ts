import type { UploadGrant } from '../client/api-client.ts';
import type { OtaClient } from '../client/ota-client.ts';
import type { PostResponse } from '../client/post-object.ts';
import type { Key, SeedOptions, SeedResult } from '../client/seed.ts';
import type { GatewayOptions } from '../config/config.ts';
import type {
  FaultCodes,
  Faults,
  Gateway,
  GatewayParts,
  Notice,
  Records,
  Refusal,
  Snapshot,
} from '../gateway.ts';
import type { Duration, ManualClock } from '../lib/clock.ts';
import type { Hooks } from './hooks.ts';

/** Options of a test gateway; absent ones have defaults for tests. */
export interface TestGatewayOptions extends Omit<GatewayOptions, 'dataDir' | 'accountsFile'> {
  /** Parts to use instead of those of the kit; `accounts` replaces the default account. */
  readonly parts?: Omit<GatewayParts, 'clock'>;
  /** The clock of the gateway; when absent, one that stands at 2024-01-01. */
  readonly clock?: ManualClock;
}

/** Options of `postObject`. */
export interface PostObjectOptions {
  /** Form fields to add or replace; undefined removes a field. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Request headers to add. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The name of the file; `firmware.bin` when absent. */
  readonly filename?: string;
}

/** The response to a posted form. */
export interface PostResult extends PostResponse {
  /** Code of the refusal, e.g. `AccessDenied`; absent when the file was stored. */
  readonly code?: string;
}

/** A request without a body. */
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options of `downloadUrl`. */
export interface DownloadUrlOptions {
  /** The address of a listener, for a download over the network; the address of the gateway when absent. */
  readonly url?: string;
  /** How long the URL is valid by the gateway's clock; 24 hours when absent. */
  readonly validFor?: Duration;
}

/** An upload that `seed` has made. */
export interface SeededUpload extends SeedResult {
  /** A signed URL that downloads the file, for 24 hours; 404 while the file is not stored, or is deleted. */
  readonly downloadUrl: string;
}

/** A complete gateway in a temporary folder, with a clock that the test moves and without a listener. */
export interface TestGateway extends Gateway, Hooks {
  readonly clock: ManualClock;
  /** The address of the gateway for `api`, `postObject` and `fetch`. Nothing listens there. */
  readonly url: string;
  /** An access key of the first account. */
  readonly accessKey: Key;
  /** The access key of the bucket. */
  readonly bucketKey: Key;
  /** Calls the IoT API with `accessKey`, without a port. */
  readonly api: OtaClient;
  /** Like `api`, with another access key. */
  apiAs(accessKey: Key): OtaClient;
  /** Like `api`, over the network to a listener: `gateway.apiFor((await gateway.listen()).url)`. */
  apiFor(url: string, accessKey?: Key): OtaClient;
  /**
   * Posts a file with the form of a grant, without a port.
   * @returns the response, also when it is a refusal; rejects when the connection breaks
   */
  postObject(
    grant: UploadGrant,
    bytes: Uint8Array | string,
    options?: PostObjectOptions,
  ): Promise<PostResult>;
  /** Like `postObject`, over the network to the host of the grant or another URL. */
  postObjectTo(
    url: string,
    grant: UploadGrant,
    bytes: Uint8Array | string,
    options?: PostObjectOptions,
  ): Promise<PostResult>;
  /** Returns the fields of the form of a grant: `request(gateway.app).post('/').field(gateway.formFields(grant))`. */
  formFields(grant: UploadGrant): Record<string, string>;
  /** Sends a request without a body, to any host, without a port; for downloads. */
  fetch(url: string, options?: FetchOptions): Promise<Response>;
  /**
   * Signs a URL that downloads an object, as QueryOTAFirmware does: `gateway.fetch(gateway.downloadUrl(key))`. For a
   * download over the network pass the address of the listener: `{ url: (await gateway.listen()).url }`.
   */
  downloadUrl(key: string, options?: DownloadUrlOptions): string;
  /** Injects faults. */
  readonly faults: Faults<FaultCodes>;
  /**
   * Makes an upload as any client does: signs, posts, claims, deletes. The clock is set back by `age` while it does
   * this. For `purged` it runs a purge, which also deletes all other uploads that are due.
   */
  seed(options: SeedOptions): Promise<SeededUpload>;
  /** @returns all uploads and packages as plain data, the same in every run; for assertions and snapshot files */
  snapshot(): Promise<Snapshot>;
  /**
   * Returns the last 1000 notices, oldest first: requests that OSS would have treated differently, most of them refused.
   * With the option `fidelity: 'strict'` the gateway refuses those, too.
   */
  notices(): readonly Notice[];
  /**
   * Returns the last 1000 refused requests of both dialects, oldest first, with code, message, operation and key or
   * account. They hold no secret, signature, token or policy, and each text is cut.
   */
  refusals(): readonly Refusal[];
  /** Deletes all uploads, packages, faults, notices, refusals and nonces, and sets the clock back to its start. */
  reset(): Promise<void>;
  /** The records of the gateway: ledger and nonces. */
  readonly records: Records;
  /** The folder of the bodies; `close` removes it. */
  readonly dataDir: string;
  /**
   * Cuts running requests, closes the gateway, and removes its folder. Idempotent.
   * Rejects with the first error that a listener of a hook has thrown.
   */
  close(): Promise<void>;
}
