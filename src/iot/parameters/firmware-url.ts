import { findObjectKeyProblem } from '../../policy/object-key.ts';
import { quote } from './parameter.ts';

/** The bucket and the address that URLs of objects have. */
export interface ObjectHome {
  readonly bucket: string;
  /** When undefined, every host is accepted. */
  readonly publicUrl: string | undefined;
}

export type ResolvedUrl =
  | { readonly kind: 'key'; readonly key: string }
  /** `reason` completes "the URL is malformed: it ..." or "is not one of ours: ...". */
  | { readonly kind: 'malformed' | 'foreign'; readonly reason: string };

const HTTP_URL = /^https?:\/\/[^/?#]+([^?#]*)/i;

/**
 * Finds the object key in a FirmwareUrl. Ignores the query, so that a signed URL is accepted, too. The bucket may be in
 * the host or before the key.
 */
export function resolveFirmwareUrl(url: string, home: ObjectHome): ResolvedUrl {
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
  const key = stripBase(path, host, address?.pathname ?? '/', home.bucket);
  return findObjectKeyProblem(key) === undefined
    ? { kind: 'key', key }
    : { kind: 'foreign', reason: 'its path is not an object key' };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Removes the path of the public URL, and the bucket unless the host has it. */
function stripBase(path: string, host: string, basePath: string, bucket: string): string {
  const base = basePath.endsWith('/') ? basePath : `${basePath}/`;
  const rest = path.slice(path.startsWith(base) ? base.length : 1);
  const isVirtualHost = host.startsWith(`${bucket}.`);
  return !isVirtualHost && rest.startsWith(`${bucket}/`) ? rest.slice(bucket.length + 1) : rest;
}
