import { keptText } from '../lib/recent-log.ts';
import type { RefusalReason } from './refusal-reason.ts';

/** Who handles a request. `http`: it was refused before it reached a dialect. */
export type Dialect = 'iot' | 'oss' | 'operator' | 'http';

/**
 * What was sent with a refused request, as far as it explains the refusal. Texts are cut. It never has a secret, a
 * signature that is right, a security token, or bytes of a file.
 */
export interface Evidence {
  /** The policy of a form, in Base64. */
  readonly policy?: string | undefined;
  /**
   * The fields of a form before its file, or the parameters of a call that its operation knows. `...` stands for the
   * value of one that is not kept, such as a signature.
   */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  /** The elements of an error of OSS: what was sent in the place that is refused, and what was measured. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly fileName?: string | undefined;
  readonly fileType?: string | undefined;
  /** A wrong signature, as it was sent. It is removed after an hour. */
  readonly signature?: string | undefined;
  /** The text that the gateway has computed the signature of. */
  readonly stringToSign?: string | undefined;
  /** The date that the client has written into the request. */
  readonly date?: string | undefined;
  /** Headers of a browser. */
  readonly cors?: CorsEvidence | undefined;
}

/** The headers of a preflight. */
export interface CorsEvidence {
  readonly origin?: string | undefined;
  readonly method?: string | undefined;
  readonly headers?: string | undefined;
}

/** A refused request: what was sent, and what was measured. Why it was refused is derived from that. */
export interface RefusalRecord {
  readonly requestId: string;
  /** By the machine's clock, in Unix milliseconds. */
  readonly at: number;
  readonly dialect: Dialect;
  readonly operation?: string | undefined;
  readonly code: string;
  readonly status: number;
  /** Fine-grained code of OSS. */
  readonly ec?: string | undefined;
  readonly reason: RefusalReason;
  /** What the client has read, without its values that may be secret; at most 512 characters. */
  readonly message: string;
  /** The account that it concerns: of the access key, or, for a request to OSS, which names none, of the object key. */
  readonly account?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly key?: string | undefined;
  readonly peer?: string | undefined;
  readonly agent?: string | undefined;
  readonly traceId?: string | undefined;
  /** Bytes that the client has announced for the body. */
  readonly announced?: number | undefined;
  /** Further requests that were refused like it within a minute. */
  readonly repeats: number;
  readonly evidence: Evidence;
}

/** Receives every refused request, before the response is sent. */
export interface RefusalReporter {
  /** Takes a refusal. Must not throw. */
  report(refusal: RefusalRecord): void;
}

/** What is known of the request. */
type RefusedRequest = Pick<
  RefusalRecord,
  'requestId' | 'at' | 'dialect' | 'operation' | 'code' | 'account' | 'peer' | 'traceId'
> & { readonly reason: RefusalReason | undefined; readonly keys: readonly string[] };

/** What is known of a refusal beside the record of its request. */
interface RefusalFacts {
  readonly headers: {
    readonly 'user-agent'?: string | undefined;
    readonly 'content-length'?: string | undefined;
  };
  readonly status: number;
  readonly ec?: string | undefined;
  readonly message: string;
  readonly accessKeyId?: string | undefined;
  readonly evidence: Evidence;
}

/** Limits in characters. The longest object key has 1023 bytes. */
const LIMITS = { id: 128, text: 200, message: 512, key: 1023, long: 4096 };

/** Makes the record of a refusal, with its texts cut: at most about 24 KiB as JSON. */
export function createRefusal(record: RefusedRequest, facts: RefusalFacts): RefusalRecord {
  const {
    account,
    at,
    code,
    dialect,
    keys,
    operation,
    peer,
    reason = 'internal',
    traceId,
  } = record;
  const { accessKeyId, ec, evidence, headers, message, status } = facts;
  const announced = headers['content-length'];
  return {
    requestId: record.requestId,
    ...{ at, dialect, status, ec, reason, account, peer, traceId, repeats: 0 },
    code: keptText(code, LIMITS.id),
    operation: cut(operation, LIMITS.id),
    message: keptText(withoutSecrets(message), LIMITS.message),
    accessKeyId: cut(accessKeyId, LIMITS.id),
    key: keys[0] === undefined ? undefined : keptKey(keys[0]),
    agent: cut(headers['user-agent'], LIMITS.text),
    announced: announced === undefined ? undefined : Number(announced),
    evidence: keptEvidence(evidence, reason),
  };
}

function keptEvidence(
  { cors, details, fields, policy, stringToSign, ...evidence }: Evidence,
  reason: RefusalReason,
): Evidence {
  const isSecret = policy !== undefined && hasSecret(decodeBase64(policy));
  // The text to sign of a form is its policy.
  const isTold = isSecret || stringToSign === policy;
  return {
    fields,
    details: details && keptDetails(details),
    policy: isSecret ? undefined : cutLong(policy),
    stringToSign: isTold ? undefined : cutLong(withoutSignedValues(stringToSign)),
    // That of any other refusal may be right.
    signature:
      reason === 'signature_mismatch' ? cutPlain(evidence.signature, LIMITS.text) : undefined,
    date: cut(evidence.date, LIMITS.id),
    fileName: cut(evidence.fileName, LIMITS.text),
    fileType: cut(evidence.fileType, LIMITS.text),
    cors: cors && {
      origin: cut(cors.origin, LIMITS.text),
      method: cut(cors.method, LIMITS.id),
      headers: cut(cors.headers, LIMITS.text),
    },
  };
}

/**
 * What stands before a signature or a security token in a URL, a header or JSON, also percent-encoded several times.
 * Conditions of a policy name `x-oss-credential` without `=`; they are no secret.
 */
const BEFORE_SECRET =
  /(?:signature|security(?:-|%(?:25)*2D)?token)(?:["'\s\\]|%(?:25)*2[027])*(?:[=:]|%(?:25)*3[AD])|oss(?:-|%(?:25)*2D)credential(?:=|%(?:25)*3D)/
    .source;

const SECRET = new RegExp(BEFORE_SECRET, 'i');
const FROM_SECRET = new RegExp(`(${BEFORE_SECRET})[^]+$`, 'i');
/** A signed URL may stand in any text, and not only at its beginning. */
const FROM_QUERY = new RegExp(`(\\?|%(?:25)*3F|${BEFORE_SECRET})[^]+$`, 'i');
/** In a text to sign, values end with a line or with `&`. Those of a callback are kept nowhere. */
const SIGNED_VALUE = new RegExp(
  `(${BEFORE_SECRET}|callback(?:-var)?(?:[=:]|%3D))(?:(?!%(?:25)*26)[^\\r\\n&])+`,
  'gi',
);

/** A policy may have a condition on the token of a temporary access key. */
const NAMES_TOKEN = /security-token/i;

function hasSecret(policy: string): boolean {
  return NAMES_TOKEN.test(policy) || SECRET.test(policy);
}

function decodeBase64(text: string): string {
  return Buffer.from(text.slice(0, 2 * LIMITS.long), 'base64').toString('latin1');
}

/** Cuts a long text, and one of control characters even more: JSON has six characters for each. */
function cutLong(text: string | undefined): string | undefined {
  const kept = cutPlain(text, LIMITS.long);
  if (kept === undefined || JSON.stringify(kept).length <= 2 * LIMITS.long) return kept;
  return keptText(kept, LIMITS.long / 6);
}

function withoutSignedValues(text: string | undefined): string | undefined {
  return text?.replace(SIGNED_VALUE, '$1...');
}

function cut(text: string | undefined, limit: number): string | undefined {
  return text === undefined ? undefined : keptValue(text, limit);
}

function cutPlain(text: string | undefined, limit: number): string | undefined {
  return text === undefined ? undefined : keptText(text, limit);
}

/** An object key may have a question mark of its own. */
function keptKey(key: string): string {
  return keptText(key, LIMITS.key).replace(FROM_SECRET, '$1...');
}

const MAX_FIELDS = 32;
const MAX_FIELD_CHARACTERS = 256;
/** Fields that are kept in other places, or never. */
const OTHER_FIELDS =
  /^(?:policy|signature|authorization|x-oss-signature|x-oss-security-token|callback|callback-var)$/;

/** Elements of errors that are kept in other places, or never. */
const OTHER_DETAILS =
  /^(?:OSSAccessKeyId|SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|ActualValue)$/;

/** @returns the elements of an error that are kept */
function keptDetails(details: Readonly<Record<string, string>>): Record<string, string> {
  const argument = details['ArgumentName']?.toLowerCase() ?? '';
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(details)) {
    if (OTHER_DETAILS.test(name)) continue;
    const isSecret = name === 'ArgumentValue' && value !== '' && OTHER_FIELDS.test(argument);
    kept[name] = isSecret ? NOT_KEPT : keptValue(value, MAX_FIELD_CHARACTERS);
  }
  return kept;
}

/** Stands for a value that is not kept. */
const NOT_KEPT = '...';

/** Cuts a value, and removes from it the query and the user of a URL, which may be secret. */
function keptValue(value: string, limit: number): string {
  return keptText(value, limit).replace(FROM_QUERY, '$1...').replace(USER, '//');
}

/** All fields together, in characters of JSON. */
const MAX_FIELDS_JSON = 6 * 1024;

/** @returns the fields of a form, or the parameters of a call, as they are kept: as many as have room */
export function keptFields(fields: ReadonlyMap<string, string>): Record<string, string> {
  const kept: [string, string][] = [];
  let room = MAX_FIELDS_JSON;
  for (const [name, value] of fields) {
    const isSecret = value !== '' && OTHER_FIELDS.test(name);
    const shown = name === 'key' ? keptKey(value) : keptValue(value, MAX_FIELD_CHARACTERS);
    const field: [string, string] = [
      keptValue(name, MAX_FIELD_CHARACTERS),
      isSecret ? NOT_KEPT : shown,
    ];
    room -= JSON.stringify(field).length;
    if (room < 0 || kept.length === MAX_FIELDS) break;
    kept.push(field);
  }
  return Object.fromEntries(kept);
}

const USER = /\/\/[^\s/"]*@/g;

/** Removes what may be a signed URL: a quoted text, the query of a URL, its user, and what follows a signature. */
function withoutSecrets(message: string): string {
  return message
    .slice(0, 8 * LIMITS.message)
    .replace(FROM_SECRET, '$1...')
    .replace(/"[^"]*"?/g, '"..."')
    .replace(/(?:\?|%(?:25)*3F)[^\s"]*/gi, '?...')
    .replace(USER, '//');
}
