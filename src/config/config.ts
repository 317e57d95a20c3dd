import type { z } from 'zod';
import { ConfigError, plainTexts, withFound } from './config-error.ts';
import { isSecret } from './secrets.ts';
import { optionsSchema } from './settings.ts';

export type { GatewayOptions } from './options.ts';

/**
 * The effective settings: times in milliseconds, sizes in bytes.
 * @interface
 */
export type Config = z.output<typeof optionsSchema>;

/** The access keys of test gateways, the same in every run: signatures are then the same, too. */
export const TEST_KEYS = {
  account: { id: 'testid', secret: 'testsecret' },
  bucket: { id: 'bucketid', secret: 'bucketsecret' },
} as const;

/** Settings that must be given together or not at all. */
const PAIRS = [
  ['accessKeyId', 'accessKeySecret'],
  ['ossAccessKeyId', 'ossAccessKeySecret'],
  ['ossPreviousAccessKeyId', 'ossPreviousAccessKeySecret'],
  ['storeAccessKeyId', 'storeAccessKeySecret'],
  ['tlsCert', 'tlsKey'],
] as const;

/**
 * Checks options and fills in the defaults.
 * @param nameOf - how the caller knows a setting, for the messages
 * @throws ConfigError with every problem at once
 */
export function parseConfig(
  options: object,
  nameOf: (option: string) => string = (option) => option,
): Config {
  // Settings are read once, for which compiling the schema would take longer than it saves.
  const parsing = { error: plainTexts, reportInput: true, jitless: true };
  const result = optionsSchema.safeParse(options, parsing);
  const problems = result.success
    ? findDangers(result.data, nameOf)
    : describeIssues(result.error.issues, options, nameOf);
  problems.push(...findContradictions(options, nameOf));
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return withNodeDefaults(withTestDefaults(result.data, givenNames(options)), options);
}

/** Fills in the defaults that differ in test mode: no quotas; with `testIds` also the access keys. */
function withTestDefaults(config: Config, given: ReadonlySet<string>): Config {
  const { account, bucket } = TEST_KEYS;
  const ownsAccounts = given.has('accessKeyId') || given.has('accountsFile');
  return {
    ...config,
    ...(config.testMode && !given.has('qps') && { qps: 'off' }),
    ...(config.testIds &&
      !ownsAccounts && { accessKeyId: account.id, accessKeySecret: account.secret }),
    ...(config.testIds &&
      !given.has('ossAccessKeyId') && {
        ossAccessKeyId: bucket.id,
        ossAccessKeySecret: bucket.secret,
      }),
  };
}

const SHARED_DRAIN_DELAY_MS = 5000;

/** Fills in the default that differs for one of several gateways: its balancer notices a stop before it happens. */
function withNodeDefaults(config: Config, options: object): Config {
  const isOne = config.ledgerUrl !== undefined && !givenNames(options).has('drainDelay');
  return isOne ? { ...config, drainDelay: SHARED_DRAIN_DELAY_MS } : config;
}

/** @returns the names of the options that have a value */
function givenNames(options: object): ReadonlySet<string> {
  return new Set(
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name])),
  );
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Whoever reaches the test controls can move time and delete everything. */
function findDangers(config: Config, nameOf: (option: string) => string): string[] {
  if (!config.testMode) return findOrphans(config, nameOf);
  if (config.ledgerUrl !== undefined) {
    return [
      `${nameOf('testMode')} and ${nameOf('ledgerUrl')}: test mode moves the clock and injects the faults of one gateway, but others share its ledger; switch it off, or use a data folder`,
    ];
  }
  if (config.testModeRemote || LOOPBACK.test(config.host)) return [];
  return [
    `${nameOf('testMode')}: ${config.host} is not a loopback address; if everybody who can reach it may use the test controls, switch ${nameOf('testModeRemote')} on as well`,
  ];
}

/** Finds settings that have a meaning only in test mode. */
function findOrphans(config: Config, nameOf: (option: string) => string): string[] {
  const only = [
    ...(config.testIds ? ['testIds'] : []),
    ...(config.testClock === undefined ? [] : ['testClock']),
  ];
  return only.map((option) => `${nameOf(option)}: is only for ${nameOf('testMode')}, which is off`);
}

function findContradictions(options: object, nameOf: (option: string) => string): string[] {
  const given = givenNames(options);
  const halves = PAIRS.filter(([a, b]) => given.has(a) !== given.has(b));
  const problems = halves.map(([a, b]) => `${nameOf(a)} and ${nameOf(b)}: give both or neither`);
  if (given.has('accountsFile') && given.has('accessKeyId')) {
    problems.push(`${nameOf('accountsFile')} and ${nameOf('accessKeyId')}: give one of them`);
  }
  problems.push(...findEqualKeys(options, nameOf), ...findSharing(given, nameOf));
  return problems;
}

/** Two keys with one id would leave open which one verifies. */
function findEqualKeys(options: object, nameOf: (option: string) => string): string[] {
  const given = new Map<string, unknown>(Object.entries(options));
  const id = given.get('ossPreviousAccessKeyId');
  if (id === undefined || id !== given.get('ossAccessKeyId')) return [];
  return [`${nameOf('ossPreviousAccessKeyId')} and ${nameOf('ossAccessKeyId')}: must differ`];
}

function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  options: object,
  nameOf: (option: string) => string,
): string[] {
  const given = new Map<string, unknown>(Object.entries(options));
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
      return issue.keys.map((key) => `${nameOf(key)}: there is no such setting`);
    }
    return innermost(issue).map(({ input, message, path }) => {
      const [first = '', ...inside] = path;
      const setting = String(first);
      // What is checked after a conversion is not what was given.
      const found = inside.length === 0 ? given.get(setting) : input;
      const text = isSecret(setting) ? message : withFound(message, found);
      return `${nameOf(setting)}: ${placeText(inside)}${text}`;
    });
  });
}

/** @returns the issues of the alternative that is tried last: it takes text, which most settings are given as */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  const isUnion = issue.code === 'invalid_union' && issue.errors.length > 0;
  if (!isUnion || issue.message !== 'Invalid input') return [issue];
  const alternative = issue.errors.at(-1) ?? [];
  return alternative.flatMap((inner) =>
    innermost({ ...inner, path: [...issue.path, ...inner.path] }),
  );
}

function placeText(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return steps.length === 0 ? '' : `at ${steps.join('').replace(/^\./, '')}: `;
}

/** What several gateways must be given, because each of them would otherwise have its own. */
const SHARED = [
  [
    ['storeUrl'],
    'other gateways cannot read the bodies of this disk, so the store must be shared, too',
  ],
  [['accessKeyId', 'accountsFile'], 'each gateway would generate an access key of its own'],
  [['ossAccessKeyId'], 'each gateway would generate a bucket key of its own'],
] as const;

/** Finds what is missing for a ledger that several gateways share, and keys of a store that there is not. */
function findSharing(given: ReadonlySet<string>, nameOf: (option: string) => string): string[] {
  const problems =
    given.has('storeAccessKeyId') && !given.has('storeUrl')
      ? [`${nameOf('storeAccessKeyId')}: is only for ${nameOf('storeUrl')}, which is not given`]
      : [];
  if (!given.has('ledgerUrl')) return problems;
  const missing = SHARED.filter(([options]) => !options.some((option) => given.has(option)));
  const texts = missing.map(([options, reason]) => {
    const wanted = options.map((option) => nameOf(option)).join(' or ');
    return `${nameOf('ledgerUrl')}: needs ${wanted}: ${reason}`;
  });
  return [...problems, ...texts];
}
