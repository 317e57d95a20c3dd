import type { UploadGrant } from '../client/api-client.ts';
import type { CreateParameters, GenerateParameters, OtaClient } from '../client/ota-client.ts';
import type { PostResponse } from '../client/post-object.ts';
import type { GatewayOptions } from '../config/config.ts';
import type { Faults, Gateway, GatewayParts, Records, Snapshot, Upload } from '../gateway.ts';
import type { Duration, ManualClock } from '../lib/clock.ts';
import type { Hooks } from './hooks.ts';

/** An access key: its public id and its secret. */
export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** Options of a gateway under test; whatever is absent is chosen for tests. */
export interface TestGatewayOptions extends Omit<GatewayOptions, 'dataDir' | 'accountsFile'> {
  /** Parts to use instead of the kit's own; `accounts` for others than the one there is. */
  readonly parts?: Omit<GatewayParts, 'clock'>;
  /** The clock to start with; one that stands at 2024-01-01 when absent. */
  readonly clock?: ManualClock;
}

/** What to post beside the file. */
export interface PostObjectOptions {
  /** Form fields to add or replace; undefined takes one out. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Request headers to add. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the file; `firmware.bin` when absent. */
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

/** An upload to start a test with. */
export interface SeedOptions {
  /** How far its life has gone. `purging` and `purged` are of a deleted package and of a missed deadline. */
  readonly state: Upload['state'];
  /** The file; the text `firmware` when absent. */
  readonly bytes?: Uint8Array | string;
  /** How long ago it was issued, stored and claimed. */
  readonly age?: Duration;
  /** Parameters of GenerateOTAUploadURL. */
  readonly upload?: GenerateParameters;
  /** Parameters of CreateOTAFirmware; name and version are chosen when absent. */
  readonly firmware?: Partial<Omit<CreateParameters, 'firmwareUrl' | 'multiFiles'>>;
  /** Whose it is; the account's when absent. */
  readonly accessKey?: Key | undefined;
}

/** An upload that is there. */
export interface SeededUpload {
  readonly key: string;
  readonly grant: UploadGrant;
  readonly firmwareUrl: string;
  /** Of the firmware package; only when the upload is, or was, claimed. */
  readonly firmwareId?: string;
}

/** A whole gateway in a temporary folder, with a clock that is moved by hand and nothing that listens. */
export interface TestGateway extends Gateway, Hooks {
  readonly clock: ManualClock;
  /** The address that the gateway has for `api`, `postObject` and `fetch`. Nothing listens there. */
  readonly url: string;
  /** An access key of the (first) account. */
  readonly accessKey: Key;
  /** The bucket's access key. */
  readonly bucketKey: Key;
  /** Calls the IoT API as the account, without a port. */
  readonly api: OtaClient;
  /** As `api`, with another access key. */
  apiAs(accessKey: Key): OtaClient;
  /** As `api`, over the network to a listener: `gateway.apiFor((await gateway.listen()).url)`. */
  apiFor(url: string, accessKey?: Key): OtaClient;
  /**
   * Posts a file with a grant's form, without a port.
   * @returns the response, also when it is a refusal; rejects when the connection breaks
   */
  postObject(
    grant: UploadGrant,
    bytes: Uint8Array | string,
    options?: PostObjectOptions,
  ): Promise<PostResult>;
  /** As `postObject`, over the network to the grant's host or another URL. */
  postObjectTo(
    url: string,
    grant: UploadGrant,
    bytes: Uint8Array | string,
    options?: PostObjectOptions,
  ): Promise<PostResult>;
  /** The fields of a grant's form: `request(gateway.app).post('/').field(gateway.formFields(grant))`. */
  formFields(grant: UploadGrant): Record<string, string>;
  /** Sends a request without a body, whatever its host is, without a port; for downloads. */
  fetch(url: string, options?: FetchOptions): Promise<Response>;
  /** Lets requests fail on purpose. */
  readonly faults: Faults;
  /**
   * Makes an upload through the same doors as any client: signs, posts, claims, purges. While it does, the clock is
   * set back by `age`. For `purged` a purge runs, which takes with it whatever else is due.
   */
  seed(options: SeedOptions): Promise<SeededUpload>;
  /** @returns all uploads and packages as plain data, the same in every run; for assertions and snapshot files */
  snapshot(): Promise<Snapshot>;
  /** Forgets all uploads, packages and faults, and sets the clock back to its start. */
  reset(): Promise<void>;
  /** What the gateway remembers. */
  readonly records: Records;
  /** Holds the bodies; removed when the gateway is closed. */
  readonly dataDir: string;
  /**
   * Cuts what is still running, closes the gateway and removes its folder. Idempotent.
   * Rejects with the first error that a hook has thrown.
   */
  close(): Promise<void>;
}
