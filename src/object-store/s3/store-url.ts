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

/** The URL of a store cannot be used. Its message lists everything that is wrong with it. */
export class StoreUrlError extends Error {
  override readonly name = 'StoreUrlError';
}

const EXAMPLE = 's3://bucket/prefix?endpoint=https://host&region=us-east-1&path-style=on';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX_SEGMENT = /^[\w!*'()-][\w!*'().-]*$/;
const PARAMETERS = ['endpoint', 'region', 'path-style', 'allow-http'];
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Parses `s3://bucket/prefix?endpoint=URL&region=NAME&path-style=on&allow-http=on`.
 * @throws StoreUrlError
 */
export function parseStoreUrl(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:') throw storeUrlError([`it must begin with s3://bucket`]);
  const parameters = url.searchParams;
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const endpoint = parameters.get('endpoint') ?? undefined;
  const region = parameters.get('region') ?? undefined;
  const problems = [
    ...userProblems(url),
    ...(BUCKET.test(url.host) ? [] : ['a bucket has 3 to 63 lower-case letters, digits, - or .']),
    ...(segments.every((segment) => PREFIX_SEGMENT.test(segment))
      ? []
      : ["the prefix may have letters, digits, and any of / _ - . ! * ' ( )"]),
    ...parameterProblems(parameters),
    ...endpointProblems(endpoint, parameters.get('allow-http') === 'on'),
    ...(region === '' ? ['region is empty'] : []),
  ];
  if (problems.length > 0) throw storeUrlError(problems);
  return {
    bucket: url.host,
    prefix: segments.map((segment) => `${segment}/`).join(''),
    ...(endpoint !== undefined && { endpoint: new URL(endpoint).origin }),
    ...(region !== undefined && { region }),
    pathStyle: parameters.get('path-style') === 'on',
  };
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

/** Never repeats the URL: it may have keys in it. */
function storeUrlError(problems: readonly string[]): StoreUrlError {
  return new StoreUrlError(
    `the URL of the store cannot be used: ${problems.join('; ')}. Example: ${EXAMPLE}`,
  );
}
