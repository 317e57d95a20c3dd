import { join } from 'node:path';
import type { FileCase } from './cases.ts';
import type { RunJobs } from './jobs.ts';
import { inOneProcess, withCurl } from './jobs.ts';

/**
 * How a client writes a file name between the quotes of `filename="..."`:
 * - `html`: as browsers do (HTML, "multipart/form-data encoding algorithm"): `%22`, `%0D` and `%0A`, all else unchanged;
 * - `escaped`: `\"` and `\\`;
 * - `raw`: unchanged, including quotes and line breaks;
 * - `ascii`: as `escaped`, and with `?` for every other character than ASCII;
 * - `percent`: percent-encoded as a whole.
 */
export type NameStyle = 'html' | 'escaped' | 'raw' | 'ascii' | 'percent';

/** A client that other people wrote, and what is known about its forms: they were recorded byte by byte. */
export interface HttpClient {
  readonly name: string;
  /** Programs, and files of libraries, that must be installed. */
  readonly needs: readonly string[];
  readonly run: RunJobs;
  readonly nameStyle: NameStyle;
  /** Whether it can post a file name with a line break; if not, it throws an exception. */
  readonly postsLineBreaks: boolean;
  /** Whether it can post a stream of unknown length. */
  readonly streams: boolean;
  /** What the gateway answers in its strict mode: it stores the file, or it refuses with this code of OSS. */
  readonly strict: (file: FileCase) => string;
}

const DRIVERS = join(__dirname, 'drivers');
const PYTHON_LIBRARIES = '/usr/lib/python3/dist-packages';
const JARS = [
  'gson',
  'okhttp',
  'okio',
  'httpclient',
  'httpcore',
  'httpmime',
  'commons-logging',
  'commons-codec',
].map((name) => `/usr/share/java/${name}.jar`);

const stored = (): string => 'stored';

// Debian's interpreters, because the libraries are Debian's; another one may come first in the PATH.
const python = (name: string): RunJobs =>
  inOneProcess('/usr/bin/python3', join(DRIVERS, 'client.py'), name);
const php = (name: string): RunJobs =>
  inOneProcess('/usr/bin/php', join(DRIVERS, 'client.php'), name);
const node = (name: string): RunJobs =>
  inOneProcess(process.execPath, join(DRIVERS, 'client.js'), name);
const java = (name: string): RunJobs =>
  inOneProcess(
    '/usr/bin/java',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-cp',
    JARS.join(':'),
    join(DRIVERS, 'Client.java'),
    name,
  );

/** A client whose forms look like a browser's. */
function like(client: Pick<HttpClient, 'name' | 'run'> & Partial<HttpClient>): HttpClient {
  return {
    needs: [],
    nameStyle: 'html',
    postsLineBreaks: true,
    streams: true,
    strict: stored,
    ...client,
  };
}

const pythonNeeds = (library: string): string[] => [
  '/usr/bin/python3',
  join(PYTHON_LIBRARIES, library),
];
const javaNeeds = ['/usr/bin/java', ...JARS];
const aiohttp = {
  needs: pythonNeeds('aiohttp'),
  // Content-Type stands before Content-Disposition (dart-lang/http#676, cfug/dio#534: refused by OSS).
  strict: () => 'MalformedPOSTRequest',
};

export const CLIENTS: readonly HttpClient[] = [
  like({ name: 'curl', needs: ['curl'], run: withCurl }),
  // Reads all of a stream before it posts, so that it needs no chunks.
  like({
    name: 'requests',
    needs: pythonNeeds('requests'),
    run: python('requests'),
    streams: false,
  }),
  like({ name: 'httpx', needs: pythonNeeds('httpx'), run: python('httpx') }),
  like({ ...aiohttp, name: 'aiohttp', run: python('aiohttp'), nameStyle: 'percent' }),
  like({
    ...aiohttp,
    name: 'aiohttp with quote_fields=False',
    run: python('aiohttp-unquoted'),
    nameStyle: 'escaped',
    postsLineBreaks: false,
  }),
  like({ name: "PHP's curl", needs: ['/usr/bin/php'], run: php('curl') }),
  like({
    name: 'Guzzle',
    needs: ['/usr/bin/php', '/usr/share/php/GuzzleHttp/autoload.php'],
    run: php('guzzle'),
    nameStyle: 'raw',
    // Content-Length stands between Content-Disposition and Content-Type, unless the length is unknown or 0. OSS wants
    // Content-Type in the second line, or nothing ("HTTP 400 status code", InvalidArgument).
    strict: ({ bytes, how }) =>
      how === 'stream' || bytes.length === 0 ? 'stored' : 'InvalidArgument',
  }),
  // Its Content-Length stands after Content-Type: DashScope's SDK uploads to OSS in this way (OSSUtils.java).
  like({ name: 'OkHttp', needs: javaNeeds, run: java('okhttp') }),
  like({
    name: "Apache's HttpClient",
    needs: javaNeeds,
    run: java('httpmime'),
    nameStyle: 'ascii',
  }),
  like({
    name: "Apache's HttpClient in browser mode",
    needs: javaNeeds,
    run: java('httpmime-browser'),
    nameStyle: 'escaped',
  }),
  like({ name: 'axios', run: node('axios'), streams: false }),
  like({ name: 'axios with form-data', run: node('axios-form-data') }),
  like({ name: 'got', run: node('got'), streams: false }),
  like({ name: 'undici', run: node('undici'), streams: false }),
  like({ name: 'supertest', run: node('supertest') }),
];

/**
 * The base name of a file name as a client writes it, without a folder of Unix or Windows.
 * @returns undefined for a name that the client writes in a way that cannot be read back
 */
export function arrivingName(style: NameStyle, name: string): string | undefined {
  // The quotes come back, because browsers write them in the same way; everything else stays encoded.
  if (style === 'percent') return encodeURIComponent(name).replaceAll('%22', '"');
  if (style !== 'html' && name.includes('"')) return undefined;
  const base = name.replace(/^.*\\/, '');
  return style === 'ascii' ? base.replace(/[^\0-\x7f]/g, '?') : base;
}
