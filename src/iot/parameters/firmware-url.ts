import { findObjectKeyProblem, keysOfPath } from '../../policy/object-key.ts';
import { quote } from './parameter.ts';

/** The bucket and the address that URLs of objects have. */
export interface ObjectHome {
  readonly bucket: string;
  /** When undefined, every host is accepted. */
  readonly publicUrl: string | undefined;
  /** The path in front of keys when there is no public URL; empty for none. */
  readonly mountPath: string;
  /** Chooses the key of an existing object among those that a URL may mean. */
  readonly chooseKey: (keys: readonly [string, ...string[]]) => Promise<string>;
}

export type ResolvedUrl =
  /** What it may mean, see `keysOfPath`. */
  | { readonly kind: 'keys'; readonly keys: readonly [string, ...string[]] }
  /** `reason` completes "the URL is malformed: it ..." or "is not one of ours: ...". */
  | { readonly kind: 'malformed' | 'foreign'; readonly reason: string };

const HTTP_URL = /^https?:\/\/[^/?#]+([^?#]*)/i;

/**
 * Finds the object keys that a FirmwareUrl may mean. Ignores the query, so that a signed URL is accepted, too. The bucket may be in
 * the host or before the key.
 */
export function resolveFirmwareUrl(url: string, home: Omit<ObjectHome, 'chooseKey'>): ResolvedUrl {
  // Takes the key from the text, because parsing a URL rewrites dot segments and backslashes.
  const rawPath = HTTP_URL.exec(url)?.[1];
  if (rawPath === undefined || !URL.canParse(url)) {
    return { kind: 'malformed', reason: `must be an http or https URL, but is ${quote(url)}` };
  }
  const path = decodePath(rawPath);
  if (path === undefined) {
    return { kind: 'malformed', reason: `has a broken percent-encoding: ${quote(url)}` };
  }
  const { host } = new URL(url);
  const address = home.publicUrl === undefined ? undefined : new URL(home.publicUrl);
  if (address !== undefined && host !== address.host && host !== `${home.bucket}.${address.host}`) {
    return { kind: 'foreign', reason: `its host is ${host}, but this gateway is ${address.host}` };
  }
  const base = address?.pathname ?? home.mountPath;
  const [first, ...others] = keysOf(stripBase(path, base), host, home);
  return first === undefined
    ? { kind: 'foreign', reason: 'its path is not an object key' }
    : { kind: 'keys', keys: [first, ...others] };
}

/** @returns the possible keys; in virtual host style, only the path */
function keysOf(
  path: string,
  host: string,
  { bucket, publicUrl }: Pick<ObjectHome, 'bucket' | 'publicUrl'>,
): string[] {
  const isOwnHost = publicUrl !== undefined && new URL(publicUrl).host === host;
  const isBucketHost = host.startsWith(`${bucket}.`) && !isOwnHost;
  const keys = isBucketHost ? [path] : keysOfPath(path, bucket);
  return keys.filter((key) => findObjectKeyProblem(key) === undefined);
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Removes the path of the public URL or of the mount. */
function stripBase(path: string, basePath: string): string {
  const decoded = decodePath(basePath) ?? basePath;
  const base = decoded.endsWith('/') ? decoded : `${decoded}/`;
  return path.slice(path.startsWith(base) ? base.length : 1);
}
