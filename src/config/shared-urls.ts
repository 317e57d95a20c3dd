/* The URLs of a ledger and of a store that gateways share. No text repeats one: it may have a password in it. */

const EXPECTED_LEDGER = 'expected postgres://user:password@host/database';
const LEDGER_SCHEME = /^postgres(?:ql)?:/;

/**
 * Finds what is wrong with the URL of a ledger.
 * @returns undefined when it can be used; else one line without the URL, which may have a password in it
 */
export function findLedgerUrlProblem(text: string): string | undefined {
  if (!LEDGER_SCHEME.test(text)) return `${EXPECTED_LEDGER}: it must begin with postgres://`;
  if (!URL.canParse(text)) {
    return `${EXPECTED_LEDGER}: it is not a URL; in a password, write % / ? # @ : as %25 %2F %3F %23 %40 %3A`;
  }
  const { host, password, pathname, username } = new URL(text);
  const problems = [
    ...(host === '' ? ['it has no host'] : []),
    ...(/^\/[^/]+$/.test(pathname) ? [] : ['it must name one database after the host']),
    ...([username, password, pathname].every(isEncoded)
      ? []
      : ['a % in its user, password or database must be written as %25']),
  ];
  return problems.length === 0 ? undefined : `${EXPECTED_LEDGER}: ${problems.join('; ')}`;
}

function isEncoded(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text);
}

/** Where an S3-compatible store keeps the bodies. */
export interface StoreAddress {
  readonly bucket: string;
  /** What all names of objects begin with: empty, or ends with a slash. */
  readonly prefix: string;
  /** Address of the store; absent: that of AWS for the region. */
  readonly endpoint?: string;
  /** Absent: what the environment of the SDK says, or `us-east-1` at an endpoint. */
  readonly region?: string;
  /** The bucket is in the path, instead of in the host. */
  readonly pathStyle: boolean;
}

const STORE_EXAMPLE = 's3://bucket/prefix?endpoint=https://host&region=us-east-1&path-style=on';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX_SEGMENT = /^[\w!*'()-][\w!*'().-]*$/;
const PARAMETERS = ['endpoint', 'region', 'path-style', 'allow-http'];
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Finds what is wrong with `s3://bucket/prefix?endpoint=URL&region=NAME&path-style=on&allow-http=on`.
 * @returns undefined when it can be used; else everything at once, without the URL, which may have keys in it
 */
export function findStoreUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problems = url?.protocol === 's3:' ? problemsOf(url) : ['it must begin with s3://bucket'];
  return problems.length === 0
    ? undefined
    : `expected a URL such as ${STORE_EXAMPLE}: ${problems.join('; ')}`;
}

function problemsOf(url: URL): readonly string[] {
  const parameters = url.searchParams;
  const endpoint = parameters.get('endpoint') ?? undefined;
  return [
    ...userProblems(url),
    ...(BUCKET.test(url.host) ? [] : ['a bucket has 3 to 63 lower-case letters, digits, - or .']),
    ...(segmentsOf(url).every((segment) => PREFIX_SEGMENT.test(segment))
      ? []
      : ["the prefix may have letters, digits, and any of / _ - . ! * ' ( )"]),
    ...parameterProblems(parameters),
    ...endpointProblems(endpoint, parameters.get('allow-http') === 'on'),
    ...(parameters.get('region') === '' ? ['region is empty'] : []),
  ];
}

/** Parses a URL that was checked by {@link findStoreUrlProblem}. @throws an Error for another one */
export function parseStoreUrl(text: string): StoreAddress {
  const problem = findStoreUrlProblem(text);
  if (problem !== undefined) throw new Error(`the URL of the store cannot be used: ${problem}`);
  const url = new URL(text);
  const endpoint = url.searchParams.get('endpoint');
  const region = url.searchParams.get('region');
  return {
    bucket: url.host,
    prefix: segmentsOf(url)
      .map((segment) => `${segment}/`)
      .join(''),
    ...(endpoint !== null && { endpoint: new URL(endpoint).origin }),
    ...(region !== null && { region }),
    pathStyle: url.searchParams.get('path-style') === 'on',
  };
}

function segmentsOf({ pathname }: URL): readonly string[] {
  return pathname.split('/').filter((segment) => segment !== '');
}

function userProblems({ password, username }: URL): string[] {
  if (username === '' && password === '') return [];
  return ['it must not have keys in it: they have settings of their own'];
}

function parameterProblems(parameters: URLSearchParams): string[] {
  const names = [...parameters.keys()];
  const unknown = names.filter((name) => !PARAMETERS.includes(name));
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const switches = ['path-style', 'allow-http'].filter(
    (name) => !['on', 'off'].includes(parameters.get(name) ?? 'off'),
  );
  return [
    ...unknown.map((name) => `${name} is not one of its parameters: ${PARAMETERS.join(', ')}`),
    ...repeated.map((name) => `${name} is given twice`),
    ...switches.map((name) => `${name} is on or off`),
  ];
}

/** Bodies are not signed, so that each is read once only: https keeps them from being changed on their way. */
function endpointProblems(endpoint: string | undefined, allowHttp: boolean): string[] {
  if (endpoint === undefined) return [];
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return ['endpoint must be an address such as https://host:9000'];
  }
  if (url.pathname !== '/' || url.search !== '' || url.username !== '' || url.password !== '') {
    return ['endpoint must be a host alone, without path, parameters and keys'];
  }
  if (url.protocol === 'https:' || allowHttp || LOOPBACK.test(url.hostname)) return [];
  return ['endpoint must use https, unless it is on this machine or allow-http=on is given'];
}
