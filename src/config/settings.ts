import { z } from 'zod';
import { findLedgerUrlProblem, findStoreUrlProblem } from './shared-urls.ts';
import { duration, limit, size, sizeLimit, timeout } from './units.ts';
import {
  accessKeyText,
  addressRange,
  callbackHost,
  checkedText,
  corsRules,
  count,
  cronText,
  flag,
  hostList,
  instant,
  jsonText,
  portNumber,
  text,
} from './values.ts';

/*
 * Every setting, in groups. A description is written here once; the command line, docs/settings.md and the API reference
 * show it.
 */

const listening = {
  host: text.default('127.0.0.1').describe('address to listen on'),
  port: portNumber.default(9070).describe('port; 0 picks a free one'),
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .refine((url) => !/[?#]/.test(url), 'expected a URL without a query and a fragment')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe(
      'scheme and host as clients see them; without it they are taken from each request. A proxy must remove its path',
    ),
  trustedProxies: z
    .union([z.array(addressRange), hostList.pipe(z.array(addressRange))])
    .default([])
    .describe(
      'proxies in front, as addresses or ranges such as 10.0.0.0/8, separated by commas; their X-Forwarded-For, X-Forwarded-Proto and Forwarded name the client',
    ),
  tlsCert: text
    .optional()
    .describe('PEM file of the certificate; serves HTTPS together with the key'),
  tlsKey: text.optional().describe('PEM file of the private key'),
};

const data = {
  dataDir: text.default('./storage').describe('folder of the ledger, the bodies and the keys'),
  minFree: size
    .prefault('64MiB')
    .describe('free space of the disk that uploads do not use; 0 to fill it'),
};

const nodes = {
  ledgerUrl: checkedText(findLedgerUrlProblem)
    .optional()
    .describe(
      'PostgreSQL ledger that several gateways share, such as postgres://user:password@host/database?sslmode=verify-full; without it the ledger is in the data folder',
    ),
  storeUrl: checkedText(findStoreUrlProblem)
    .optional()
    .describe(
      'S3-compatible store of the bodies, such as s3://bucket/prefix?endpoint=https://host&region=r&path-style=on; without it they are in the data folder',
    ),
  storeAccessKeyId: text
    .optional()
    .describe('access key of the store; without it the credentials that the SDK of AWS finds'),
  storeAccessKeySecret: text.optional().describe('secret of that access key'),
  ledgerPool: count
    .refine((connections) => connections > 0, 'expected a whole number from 1')
    .default(10)
    .describe('connections to PostgreSQL at the same time'),
  orphanAge: duration
    .prefault('24h')
    .describe('age at which the daily sweep gives up a body of the store that no upload has'),
  drainDelay: timeout
    .prefault('0s')
    .describe(
      'time between a stop and the last accepted connection, in which a balancer sees that the gateway is not ready; 5s by default with a ledger URL',
    ),
};

const accounts = {
  accessKeyId: accessKeyText.optional().describe('access key of the account, if there is only one'),
  accessKeySecret: text
    .optional()
    .describe('secret of that access key; both are generated when absent'),
  accountsFile: text
    .optional()
    .describe('JSON file with several accounts, RAM users, instances and products'),
  maxAccountBytes: sizeLimit
    .default('off')
    .describe('bytes of all stored and claimed files of an account together'),
  maxAccountUploads: limit
    .default('off')
    .describe('uploads of an account that are issued, stored or claimed'),
  maxAccountConcurrent: limit
    .default('off')
    .describe('files of an account that are received at the same time'),
  maxAccountRate: limit.default('off').describe('forms that are signed for an account per second'),
  maxPackages: count.default(500).describe('firmware packages per account and instance'),
  qps: z
    .union([z.enum(['on', 'off']), z.coerce.number<number | string>().int().min(1)], {
      error: 'expected on, off or a whole number from 1',
    })
    .default('on')
    .describe(
      'calls per second and account: on for the limit of each operation, one number for all, or off; off by default in test mode',
    ),
};

const bucket = {
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
      'expected 3 to 63 lower-case letters, digits and "-"',
    )
    .default('iotx-ota')
    .describe('name of the bucket'),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and "-"')
    .default('cn-shanghai')
    .describe('region in credentials of signature version 4'),
  ossAccessKeyId: accessKeyText.optional().describe('access key of the bucket'),
  ossAccessKeySecret: text
    .optional()
    .describe('secret of that access key; both are generated when absent'),
  ossPreviousAccessKeyId: accessKeyText
    .optional()
    .describe(
      'access key of the bucket before the present one: verifies what it has signed, and never signs',
    ),
  ossPreviousAccessKeySecret: text.optional().describe('secret of that access key'),
  maxUpload: size.prefault('1000MiB').describe('size of the largest object'),
  maxBucketBytes: sizeLimit
    .default('off')
    .describe('bytes of all stored and claimed files together'),
  maxBucketUploads: limit.default('off').describe('uploads that are issued, stored or claimed'),
  maxBucketConcurrent: limit.default('off').describe('files that are received at the same time'),
  maxBucketRate: limit.default('off').describe('forms that are signed per second'),
  publicRead: flag.default(false).describe('objects can be read without a signature'),
  corsRules: z
    .union([corsRules, jsonText.pipe(corsRules)])
    .default([])
    .describe(
      'CORS rules, a JSON array of {allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds}',
    ),
  callbackHosts: z
    .union([z.array(callbackHost), hostList.pipe(z.array(callbackHost))])
    .default([])
    .describe(
      'hosts that an upload callback may call, separated by commas; any: every public address, and those named',
    ),
  unsignedCallbacks: flag
    .default(false)
    .describe('forms may ask for a callback that their policy does not cover'),
  fidelity: z
    .enum(['lenient', 'strict'])
    .default('lenient')
    .describe(
      'requests that OSS refuses and the gateway can read: strict refuses them, lenient accepts them with a notice',
    ),
};

const lifetimes = {
  policyTtl: duration
    .refine(
      (time) => time >= 1000,
      'expected at least 1s; a number without a unit is milliseconds: write 60s for a minute',
    )
    .prefault('60s')
    .describe('how long a signed form is valid'),
  claimTtl: duration
    .prefault('60m')
    .describe('time between the upload and CreateOTAFirmware, after which the file is purged'),
  purgeCron: cronText.default('* * * * *').describe('when the purge runs; six fields are allowed'),
  issuedRetention: duration
    .prefault('24h')
    .describe('how long an expired grant without an upload is remembered'),
  claimedRetention: z
    .union([
      z.enum(['off']),
      duration.refine((time) => time > 0, 'expected a duration from 1ms, or off'),
    ])
    .default('off')
    .describe(
      'age at which the purge removes a firmware package with its files; off: packages stay until they are deleted',
    ),
  tombstoneRetention: duration.prefault('30d').describe('how long a purged upload is remembered'),
  refusalRetention: timeout
    .prefault('7d')
    .describe('how long a refused request is remembered, of at most 10,000; 0 for never'),
};

const limits = {
  maxConnections: count.default(10_000).describe('connections at the same time'),
  maxUnsigned: size
    .prefault('96MiB')
    .describe(
      'memory of all requests together before their signature is verified: fields, bodies, headers',
    ),
  // Longer than the 60 s for which nginx and most load balancers use a connection again: if the gateway closed it first,
  // a request that is on its way would fail.
  idleTimeout: timeout
    .prefault('75s')
    .describe(
      'a connection that moves no byte for this time is closed, also between requests; a proxy in front must close its own earlier; 0 for never',
    ),
  minUploadRate: size
    .prefault('128B')
    .describe(
      'bytes per second that an upload must bring on average over the idle time; 0 for any',
    ),
  drainBytes: size
    .prefault('16MiB')
    .describe(
      'bytes of a refused upload that are still read, so that the client can receive the response',
    ),
  drainTime: timeout.prefault('2s').describe('how long they are read'),
};

const operation = {
  grace: timeout
    .prefault('30s')
    .describe('time for running requests to end when the gateway stops'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('lowest level that is logged'),
  metrics: flag
    .default(true)
    .describe(
      'serves metrics for Prometheus under /_gateway/metrics; without a token only for this machine',
    ),
  metricsToken: text
    .optional()
    .describe('token with which any machine can read the metrics: Authorization: Bearer TOKEN'),
  console: flag.default(true).describe('serves the page for people under /_gateway/console'),
  testMode: flag
    .default(false)
    .describe('serves the test controls under /_gateway/test, which move time and inject faults'),
  testModeRemote: flag
    .default(false)
    .describe('test mode can be used from other machines; without it only on loopback'),
  testIds: flag
    .default(false)
    .describe(
      'ids count up and generated access keys are fixed, so that every run is the same; for test mode and an empty data folder',
    ),
  testClock: instant
    .optional()
    .describe(
      'time at which the clock of test mode stands until it is moved, such as 2024-01-01T00:00:00Z',
    ),
  readyFile: text
    .optional()
    .describe(
      'JSON file that serve writes when it accepts requests, and removes when it stops: address, access key, bucket',
    ),
};

/** The groups, in the order in which they are shown. */
export const SETTING_GROUPS: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  Listening: listening,
  Data: data,
  'Several gateways': nodes,
  Accounts: accounts,
  Bucket: bucket,
  Lifetimes: lifetimes,
  Limits: limits,
  Operation: operation,
};

/** All settings together; unknown ones are refused. */
export const optionsSchema = z.strictObject({
  ...listening,
  ...data,
  ...nodes,
  ...accounts,
  ...bucket,
  ...lifetimes,
  ...limits,
  ...operation,
});
