/*
 * Written by `npm run docs` from the table in settings.ts; do not edit.
 */

/**
 * Options of a gateway, all optional. Durations are milliseconds or text such as `60s`, sizes are bytes or text such as
 * `10MiB`, and switches are `true`, `false`, `on` or `off`.
 */
export interface GatewayOptions {
  /**
   * Address to listen on.
   * @defaultValue `127.0.0.1`
   */
  host?: string | undefined;
  /**
   * Port; 0 picks a free one.
   * @defaultValue `9070`
   */
  port?: number | string | undefined;
  /**
   * Scheme and host as clients see them; without it they are taken from each request. A proxy must remove its path.
   */
  publicUrl?: string | undefined;
  /**
   * Proxies in front, as addresses or ranges such as 10.0.0.0/8, separated by commas; their X-Forwarded-For, X-Forwarded-Proto and Forwarded name the client.
   * @defaultValue `[]`
   */
  trustedProxies?: string[] | string | undefined;
  /**
   * PEM file of the certificate; serves HTTPS together with the key.
   */
  tlsCert?: string | undefined;
  /**
   * PEM file of the private key.
   */
  tlsKey?: string | undefined;
  /**
   * Folder of the ledger, the bodies and the keys.
   * @defaultValue `./storage`
   */
  dataDir?: string | undefined;
  /**
   * Free space of the disk that uploads do not use; 0 to fill it.
   * @defaultValue `64MiB`
   */
  minFree?: number | string | undefined;
  /**
   * PostgreSQL ledger that several gateways share, such as postgres://user:password@host/database?sslmode=verify-full; without it the ledger is in the data folder.
   */
  ledgerUrl?: string | undefined;
  /**
   * S3-compatible store of the bodies, such as s3://bucket/prefix?endpoint=https://host&region=r&path-style=on; without it they are in the data folder.
   */
  storeUrl?: string | undefined;
  /**
   * Access key of the store; without it the credentials that the SDK of AWS finds.
   */
  storeAccessKeyId?: string | undefined;
  /**
   * Secret of that access key.
   */
  storeAccessKeySecret?: string | undefined;
  /**
   * Connections to PostgreSQL at the same time.
   * @defaultValue `10`
   */
  ledgerPool?: number | string | undefined;
  /**
   * Age at which the daily sweep gives up a body of the store that no upload has.
   * @defaultValue `24h`
   */
  orphanAge?: number | string | undefined;
  /**
   * Time between a stop and the last accepted connection, in which a balancer sees that the gateway is not ready; 5s by default with a ledger URL.
   * @defaultValue `0s`
   */
  drainDelay?: number | string | undefined;
  /**
   * Access key of the account, if there is only one.
   */
  accessKeyId?: string | undefined;
  /**
   * Secret of that access key; both are generated when absent.
   */
  accessKeySecret?: string | undefined;
  /**
   * JSON file with several accounts, RAM users, instances and products.
   */
  accountsFile?: string | undefined;
  /**
   * Bytes of all stored and claimed files of an account together.
   * @defaultValue `off`
   */
  maxAccountBytes?: number | string | undefined;
  /**
   * Uploads of an account that are issued, stored or claimed.
   * @defaultValue `off`
   */
  maxAccountUploads?: number | string | undefined;
  /**
   * Files of an account that are received at the same time.
   * @defaultValue `off`
   */
  maxAccountConcurrent?: number | string | undefined;
  /**
   * Forms that are signed for an account per second.
   * @defaultValue `off`
   */
  maxAccountRate?: number | string | undefined;
  /**
   * Firmware packages per account and instance.
   * @defaultValue `500`
   */
  maxPackages?: number | string | undefined;
  /**
   * Calls per second and account: on for the limit of each operation, one number for all, or off; off by default in test mode.
   * @defaultValue `on`
   */
  qps?: number | string | undefined;
  /**
   * Name of the bucket.
   * @defaultValue `iotx-ota`
   */
  bucket?: string | undefined;
  /**
   * Region in credentials of signature version 4.
   * @defaultValue `cn-shanghai`
   */
  region?: string | undefined;
  /**
   * Access key of the bucket.
   */
  ossAccessKeyId?: string | undefined;
  /**
   * Secret of that access key; both are generated when absent.
   */
  ossAccessKeySecret?: string | undefined;
  /**
   * Access key of the bucket before the present one: verifies what it has signed, and never signs.
   */
  ossPreviousAccessKeyId?: string | undefined;
  /**
   * Secret of that access key.
   */
  ossPreviousAccessKeySecret?: string | undefined;
  /**
   * Size of the largest object.
   * @defaultValue `1000MiB`
   */
  maxUpload?: number | string | undefined;
  /**
   * Bytes of all stored and claimed files together.
   * @defaultValue `off`
   */
  maxBucketBytes?: number | string | undefined;
  /**
   * Uploads that are issued, stored or claimed.
   * @defaultValue `off`
   */
  maxBucketUploads?: number | string | undefined;
  /**
   * Files that are received at the same time.
   * @defaultValue `off`
   */
  maxBucketConcurrent?: number | string | undefined;
  /**
   * Forms that are signed per second.
   * @defaultValue `off`
   */
  maxBucketRate?: number | string | undefined;
  /**
   * Objects can be read without a signature.
   * @defaultValue `off`
   */
  publicRead?: boolean | string | undefined;
  /**
   * CORS rules, a JSON array of {allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds}.
   * @defaultValue `[]`
   */
  corsRules?:
    | {
        allowedOrigins: string[];
        allowedMethods: ('GET' | 'PUT' | 'DELETE' | 'POST' | 'HEAD')[];
        allowedHeaders?: string[] | undefined;
        exposeHeaders?: string[] | undefined;
        maxAgeSeconds?: number | undefined;
      }[]
    | string
    | undefined;
  /**
   * Hosts that an upload callback may call, separated by commas; any: every public address, and those named.
   * @defaultValue `[]`
   */
  callbackHosts?: string[] | string | undefined;
  /**
   * Forms may ask for a callback that their policy does not cover.
   * @defaultValue `off`
   */
  unsignedCallbacks?: boolean | string | undefined;
  /**
   * Requests that OSS refuses and the gateway can read: strict refuses them, lenient accepts them with a notice.
   * @defaultValue `lenient`
   */
  fidelity?: 'lenient' | 'strict' | undefined;
  /**
   * How long a signed form is valid.
   * @defaultValue `60s`
   */
  policyTtl?: number | string | undefined;
  /**
   * Time between the upload and CreateOTAFirmware, after which the file is purged.
   * @defaultValue `60m`
   */
  claimTtl?: number | string | undefined;
  /**
   * When the purge runs; six fields are allowed.
   * @defaultValue `* * * * *`
   */
  purgeCron?: string | undefined;
  /**
   * How long an expired grant without an upload is remembered.
   * @defaultValue `24h`
   */
  issuedRetention?: number | string | undefined;
  /**
   * Age at which the purge removes a firmware package with its files; off: packages stay until they are deleted.
   * @defaultValue `off`
   */
  claimedRetention?: number | string | undefined;
  /**
   * How long a purged upload is remembered.
   * @defaultValue `30d`
   */
  tombstoneRetention?: number | string | undefined;
  /**
   * How long a refused request is remembered, of at most 10,000; 0 for never.
   * @defaultValue `7d`
   */
  refusalRetention?: number | string | undefined;
  /**
   * Connections at the same time.
   * @defaultValue `10000`
   */
  maxConnections?: number | string | undefined;
  /**
   * Memory of all requests together before their signature is verified: fields, bodies, headers.
   * @defaultValue `96MiB`
   */
  maxUnsigned?: number | string | undefined;
  /**
   * A connection that moves no byte for this time is closed, also between requests; a proxy in front must close its own earlier; 0 for never.
   * @defaultValue `75s`
   */
  idleTimeout?: number | string | undefined;
  /**
   * Bytes per second that an upload must bring on average over the idle time; 0 for any.
   * @defaultValue `128B`
   */
  minUploadRate?: number | string | undefined;
  /**
   * Bytes of a refused upload that are still read, so that the client can receive the response.
   * @defaultValue `16MiB`
   */
  drainBytes?: number | string | undefined;
  /**
   * How long they are read.
   * @defaultValue `2s`
   */
  drainTime?: number | string | undefined;
  /**
   * Time for running requests to end when the gateway stops.
   * @defaultValue `30s`
   */
  grace?: number | string | undefined;
  /**
   * Lowest level that is logged.
   * @defaultValue `info`
   */
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
  /**
   * Serves metrics for Prometheus under /_gateway/metrics; without a token only for this machine.
   * @defaultValue `on`
   */
  metrics?: boolean | string | undefined;
  /**
   * Token with which any machine can read the metrics: Authorization: Bearer TOKEN.
   */
  metricsToken?: string | undefined;
  /**
   * Serves the page for people under /_gateway/console.
   * @defaultValue `on`
   */
  console?: boolean | string | undefined;
  /**
   * Serves the test controls under /_gateway/test, which move time and inject faults.
   * @defaultValue `off`
   */
  testMode?: boolean | string | undefined;
  /**
   * Test mode can be used from other machines; without it only on loopback.
   * @defaultValue `off`
   */
  testModeRemote?: boolean | string | undefined;
  /**
   * Ids count up and generated access keys are fixed, so that every run is the same; for test mode and an empty data folder.
   * @defaultValue `off`
   */
  testIds?: boolean | string | undefined;
  /**
   * Time at which the clock of test mode stands until it is moved, such as 2024-01-01T00:00:00Z.
   */
  testClock?: number | string | undefined;
  /**
   * JSON file that serve writes when it accepts requests, and removes when it stops: address, access key, bucket.
   */
  readyFile?: string | undefined;
}
