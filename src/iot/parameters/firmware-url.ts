import { findObjectKeyProblem } from '../../policy/object-key.ts';
import { quote } from './parameter.ts';

/** The address under which objects are known. */
export interface ObjectHome {
  readonly bucket: string;
  /** When undefined, any host is taken for ours. */
  readonly publicUrl: string | undefined;
}

export type ResolvedUrl =
  | { readonly kind: 'key'; readonly key: string }
  /** `reason` completes "the URL is malformed: it ..." or "is not one of ours: ...". */
  | { readonly kind: 'malformed' | 'foreign'; readonly reason: string };

const HTTP_URL = /^https?:\/\/[^/?#]+([^?#]*)/i;

/**
 * Finds the object key that a FirmwareUrl names. Its query is left aside, so that a signed URL does as well, and the
 * bucket may stand in the host or before the key.
 */
export function resolveFirmwareUrl(url: string, home: ObjectHome): ResolvedUrl {
  // The key is cut from the text itself, because a parsed URL has its dot segments and backslashes rewritten.
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
  const key = stripBase(path, host, address?.pathname ?? '/', home.bucket);
  return findObjectKeyProblem(key) === undefined
    ? { kind: 'key', key }
    : { kind: 'foreign', reason: 'its path is no object key' };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Takes off the path of the public URL, and the bucket unless it stands in the host. */
function stripBase(path: string, host: string, basePath: string, bucket: string): string {
  const base = basePath.endsWith('/') ? basePath : `${basePath}/`;
  const rest = path.slice(path.startsWith(base) ? base.length : 1);
  const isVirtualHost = host.startsWith(`${bucket}.`);
  return !isVirtualHost && rest.startsWith(`${bucket}/`) ? rest.slice(bucket.length + 1) : rest;
}
