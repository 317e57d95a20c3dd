import { z } from 'zod';
import { duration, size, timeout } from './units.ts';
import {
  accessKeyText,
  callbackHost,
  corsRules,
  count,
  flag,
  hostList,
  jsonText,
  text,
} from './values.ts';

/** Every setting of the gateway; the descriptions are its documentation. */
const optionsSchema = z.strictObject({
  /** Address to listen on. */
  host: text.default('127.0.0.1').describe('address to listen on'),
  /** Port; 0 picks a free one. */
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(9070)
    .describe('port; 0 picks a free one'),
  /** What clients see as `Host`; derived from each request when absent. */
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('what clients see as `Host`; derived from each request when absent'),
  /** PEM file of the certificate; serves HTTPS together with the key. */
  tlsCert: text
    .optional()
    .describe('PEM file of the certificate; serves HTTPS together with the key'),
  /** PEM file of the private key. */
  tlsKey: text.optional().describe('PEM file of the private key'),
  /** Ledger, bodies and credentials. */
  dataDir: text.default('./storage').describe('ledger, bodies and credentials'),
  /** Access key of the one account of a simple installation. */
  accessKeyId: accessKeyText
    .optional()
    .describe('access key of the one account of a simple installation'),
  /** Its secret; both are generated when absent. */
  accessKeySecret: text.optional().describe('its secret; both are generated when absent'),
  /** JSON file with several accounts, RAM users, instances and products. */
  accountsFile: text
    .optional()
    .describe('JSON file with several accounts, RAM users, instances and products'),
  /** Name of the bucket. */
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
      'expected 3 to 63 lower-case letters, digits and "-"',
    )
    .default('iotx-ota')
    .describe('name of the bucket'),
  /** Region in V4 credentials. */
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and "-"')
    .default('cn-shanghai')
    .describe('region in V4 credentials'),
  /** Access key of the bucket. */
  ossAccessKeyId: accessKeyText.optional().describe('access key of the bucket'),
  /** Its secret; both are generated when absent. */
  ossAccessKeySecret: text.optional().describe('its secret; both are generated when absent'),
  /** Life of a signed form. */
  policyTtl: duration.prefault('60s').describe('life of a signed form'),
  /** Time from stored to CreateOTAFirmware. */
  claimTtl: duration.prefault('60m').describe('time from stored to CreateOTAFirmware'),
  /** When the purge job runs; six fields allowed. */
  purgeCron: text.default('* * * * *').describe('when the purge job runs; six fields allowed'),
  /** Largest object. */
  maxUpload: size.prefault('1000MiB').describe('largest object'),
  /** Calls per account and second: each operation's own figure, one number for all, or off. */
  qps: z
    .union([z.enum(['on', 'off']), z.coerce.number<number | string>().int().min(1)], {
      error: 'expected on, off or a whole number from 1',
    })
    .default('on')
    .describe(
      "calls per account and second: each operation's own figure, one number for all, or off",
    ),
  /** Firmware packages per account and instance. */
  maxPackages: count.default(500).describe('firmware packages per account and instance'),
  /** Objects may be read without a signature. */
  publicRead: flag.default(false).describe('objects may be read without a signature'),
  /** CORS rules, a JSON array of {allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds}. */
  corsRules: z
    .union([corsRules, jsonText.pipe(corsRules)])
    .default([])
    .describe(
      'CORS rules, a JSON array of {allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds}',
    ),
  /** Hosts that an upload callback may call, with commas between; any: every public address, and those named. */
  callbackHosts: z
    .union([z.array(callbackHost), hostList.pipe(z.array(callbackHost))])
    .default([])
    .describe(
      'hosts that an upload callback may call, with commas between; any: every public address, and those named',
    ),
  /** Forms may ask for a callback that their policy does not cover. */
  unsignedCallbacks: flag
    .default(false)
    .describe('forms may ask for a callback that their policy does not cover'),
  /** How long an expired, unused grant is remembered. */
  issuedRetention: duration
    .prefault('24h')
    .describe('how long an expired, unused grant is remembered'),
  /** How long a purged upload is remembered. */
  tombstoneRetention: duration.prefault('30d').describe('how long a purged upload is remembered'),
  /** What a refused request may still send before it is cut. */
  drainBytes: size
    .prefault('16MiB')
    .describe('what a refused request may still send before it is cut'),
  /** How long it may take for that. */
  drainTime: timeout.prefault('2s').describe('how long it may take for that'),
  /** A connection whose client moves nothing for so long is closed; 0 for never. */
  idleTimeout: timeout
    .prefault('60s')
    .describe('a connection whose client moves nothing for so long is closed; 0 for never'),
  /** Bytes a second that an upload must bring on average over the idle time; 0 for any. */
  minUploadRate: size
    .prefault('128B')
    .describe('bytes a second that an upload must bring on average over the idle time; 0 for any'),
  /** Free space of the disk that uploads leave alone; 0 to fill it. */
  minFree: size
    .prefault('64MiB')
    .describe('free space of the disk that uploads leave alone; 0 to fill it'),
  /** Memory that all requests together may hold until they have proven who sent them: fields, bodies, headers. */
  maxUnsigned: size
    .prefault('256MiB')
    .describe(
      'memory that all requests together may hold until they have proven who sent them: fields, bodies, headers',
    ),
  /** Connections at once. */
  maxConnections: count.default(10_000).describe('connections at once'),
  /** Time for running requests when the gateway stops. */
  grace: timeout.prefault('30s').describe('time for running requests when the gateway stops'),
  /** Mounts the test controls under /_gateway/test, which move time and order faults. */
  testMode: flag
    .default(false)
    .describe('mounts the test controls under /_gateway/test, which move time and order faults'),
  /** Test mode may be used from other machines; without it only on loopback. */
  testModeRemote: flag
    .default(false)
    .describe('test mode may be used from other machines; without it only on loopback'),
  /** Least level that is logged. */
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least level that is logged'),
});

/**
 * Options of a gateway, as a caller writes them: all optional, durations and sizes as text or numbers.
 * @interface
 */
export type GatewayOptions = z.input<typeof optionsSchema>;

/**
 * The effective settings: times in milliseconds, sizes in bytes.
 * @interface
 */
export type Config = z.output<typeof optionsSchema>;

/** Settings that must be given together or not at all. */
const PAIRS = [
  ['accessKeyId', 'accessKeySecret'],
  ['ossAccessKeyId', 'ossAccessKeySecret'],
  ['tlsCert', 'tlsKey'],
] as const;

/** All that is wrong with a configuration, one problem a line. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Checks options and fills in the defaults.
 * @param nameOf - how the caller knows a setting, for the messages
 * @throws ConfigError with every problem at once
 */
export function parseConfig(
  options: object,
  nameOf: (option: string) => string = (option) => option,
): Config {
  const result = optionsSchema.safeParse(options);
  const problems = result.success
    ? findDangers(result.data, nameOf)
    : result.error.issues.flatMap((issue) => describeIssue(issue, nameOf));
  problems.push(...findContradictions(options, nameOf));
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Whoever reaches the test controls can move time and delete everything. */
function findDangers(config: Config, nameOf: (option: string) => string): string[] {
  if (!config.testMode || config.testModeRemote || LOOPBACK.test(config.host)) return [];
  return [
    `${nameOf('testMode')}: ${config.host} is not a loopback address; if everybody who can reach it may use the test controls, switch ${nameOf('testModeRemote')} on as well`,
  ];
}

function findContradictions(options: object, nameOf: (option: string) => string): string[] {
  const given = new Set(
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name])),
  );
  const halves = PAIRS.filter(([a, b]) => given.has(a) !== given.has(b));
  const problems = halves.map(([a, b]) => `${nameOf(a)} and ${nameOf(b)}: give both or neither`);
  if (given.has('accountsFile') && given.has('accessKeyId')) {
    problems.push(`${nameOf('accountsFile')} and ${nameOf('accessKeyId')}: give one of them`);
  }
  return problems;
}

function describeIssue(issue: z.core.$ZodIssue, nameOf: (option: string) => string): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${nameOf(key)}: there is no such setting`);
  }
  if (
    issue.code === 'invalid_union' &&
    issue.errors.length > 0 &&
    issue.message === 'Invalid input'
  ) {
    // Text is what most settings are given as, and the alternative that is tried last.
    const alternative = issue.errors.at(-1) ?? [];
    return alternative.flatMap((inner) =>
      describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, nameOf),
    );
  }
  return [`${nameOf(issue.path.map(String).join('.'))}: ${issue.message}`];
}

/** What a setting is called, what it means, and its effective default as text. */
export interface OptionDescription {
  readonly name: string;
  readonly description: string;
  readonly default: string | undefined;
  /** It is on or off. */
  readonly isSwitch: boolean;
}

/** Every setting with its description and default, for help texts and documentation. */
export function describeOptions(): OptionDescription[] {
  return Object.entries(optionsSchema.shape).map(([name, schema]) => {
    const preset = z.safeParse(schema, undefined);
    const value = preset.success ? preset.data : undefined;
    return {
      name,
      description: schema.description ?? '',
      default: presetText(schema, value),
      isSwitch: typeof value === 'boolean',
    };
  });
}

/** The way a person would write a default. */
function presetText(schema: unknown, value: unknown): string | undefined {
  if (schema instanceof z.ZodPrefault) return String(schema.def.defaultValue);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
}
