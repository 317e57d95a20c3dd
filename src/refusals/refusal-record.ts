import { keptText } from '../lib/kept-text.ts';
import { withoutNul } from '../lib/nul.ts';
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
  /** Whether it had more fields than are kept. */
  readonly hasMoreFields?: boolean | undefined;
  /**
   * The texts that are not as they were sent: names of fields, `policy`, `stringToSign`, or `content-type` for that of
   * the file.
   */
  readonly cut?: readonly string[] | undefined;
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
  /** What each rule does not allow, of the first ones; empty when there are no rules. */
  readonly mismatches?: readonly CorsMismatch[] | undefined;
}

/** A value of a preflight that a rule does not allow. */
export interface CorsMismatch {
  /** Its place among the rules, from 1. */
  readonly rule: number;
  readonly what: 'origin' | 'method' | 'header';
  /** What was sent. */
  readonly value: string;
  /** What the rule allows, separated by commas. */
  readonly allowed: string;
}

/** How many are kept of a preflight: three for each of the ten rules that there may be. */
export const MAX_MISMATCHES = 30;

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
  /** Takes a refusal. Must not throw. @returns whether it is kept, so that it can be explained later */
  report(refusal: RefusalRecord): boolean;
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
    operation: operation === undefined ? undefined : withoutNul(keptValue(operation, LIMITS.id)),
    message: keptText(withoutSecrets(message), LIMITS.message),
    accessKeyId: cut(accessKeyId, LIMITS.id),
    key: keys[0] === undefined ? undefined : keptKey(keys[0]),
    agent: cut(headers['user-agent'], LIMITS.text),
    announced: announced === undefined ? undefined : Number(announced),
    evidence: keptEvidence(evidence, reason),
  };
}

function keptEvidence(
  { cors, cut: cutFields = [], details, fields, hasMoreFields, ...texts }: Evidence,
  reason: RefusalReason,
): Evidence {
  const { cut: cutTexts, ...kept } = keptTexts(texts);
  const cutAll = [...cutFields, ...cutTexts];
  return {
    ...kept,
    fields,
    hasMoreFields,
    cut: cutAll.length === 0 ? undefined : cutAll,
    details: details && keptDetails(details),
    // That of any other refusal may be right.
    signature: reason === 'signature_mismatch' ? cutPlain(texts.signature, LIMITS.text) : undefined,
    date: cut(texts.date, LIMITS.id),
    fileName: cut(texts.fileName, LIMITS.text),
    cors: cors && keptCors(cors),
  };
}

/** @returns the texts that a story judges, and the names of those that are not whole */
function keptTexts({
  fileType,
  policy,
  stringToSign,
}: Evidence): Pick<Evidence, 'fileType' | 'policy' | 'stringToSign'> & { cut: string[] } {
  const isSecret = policy !== undefined && hasSecret(decodeBase64(policy));
  // The text to sign of a form is its policy.
  const toSign = stringToSign === policy ? undefined : stringToSign;
  const sent = { policy, stringToSign: toSign, 'content-type': fileType };
  const kept = {
    policy: isSecret ? undefined : cutLong(policy),
    stringToSign: isSecret ? undefined : cutLong(withoutSignedValues(toSign)),
    'content-type': cut(fileType, LIMITS.text),
  };
  const names = ['policy', 'stringToSign', 'content-type'] as const;
  return {
    policy: kept.policy,
    stringToSign: kept.stringToSign,
    fileType: kept['content-type'],
    cut: names.filter((name) => kept[name] !== sent[name]),
  };
}

function keptCors({ headers, method, mismatches, origin }: CorsEvidence): CorsEvidence {
  return {
    mismatches: mismatches?.slice(0, MAX_MISMATCHES).map(({ allowed, value, ...mismatch }) => ({
      ...mismatch,
      value: keptValue(value, LIMITS.id),
      allowed: keptText(allowed, LIMITS.id),
    })),
    origin: cut(origin, LIMITS.text),
    method: cut(method, LIMITS.id),
    headers: cut(headers, LIMITS.text),
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
  return withoutSecret(withoutNul(keptText(key, LIMITS.key)));
}

/** No signature and no token stands in a text without one of these. */
const BEFORE_VALUE = /[=:%]/;

/** @returns an object key as it may be kept or logged: without what may be a signature or a token, and what follows it */
export function withoutSecret(key: string): string {
  return BEFORE_VALUE.test(key) ? key.replace(FROM_SECRET, '$1...') : key;
}

const MAX_FIELDS = 32;
const MAX_FIELD_CHARACTERS = 256;
const OTHER_FIELDS =
  /^(?:policy|signature|authorization|x-oss-signature|x-oss-security-token|callback|callback-var)$/;

/** @returns whether a field, by its lower-case name, is kept in another place, or never */
export function isNotKept(name: string): boolean {
  return OTHER_FIELDS.test(name);
}

/** Elements of errors that are kept in other places, or never. */
const OTHER_DETAILS =
  /^(?:OSSAccessKeyId|SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|ActualValue)$/;

/** @returns the elements of an error that are kept */
function keptDetails(details: Readonly<Record<string, string>>): Record<string, string> {
  const argument = details['ArgumentName']?.toLowerCase() ?? '';
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(details)) {
    if (OTHER_DETAILS.test(name)) continue;
    const isSecret = name === 'ArgumentValue' && value !== '' && isNotKept(argument);
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

/** The fields of a form, or the parameters of a call, as they are kept. */
type KeptFields = Pick<Evidence, 'fields' | 'hasMoreFields' | 'cut'>;

/** Keeps as many fields as have room. */
export function keptFields(fields: ReadonlyMap<string, string>): KeptFields {
  const kept: [string, string][] = [];
  const cut: string[] = [];
  let room = MAX_FIELDS_JSON;
  for (const [sentName, value] of fields) {
    const name = keptValue(sentName, MAX_FIELD_CHARACTERS);
    const shown = keptField(sentName, value);
    const isCut = shown !== value && name !== 'policy';
    room -= JSON.stringify([name, shown, ...(isCut ? [name] : [])]).length;
    if (room < 0 || kept.length === MAX_FIELDS) break;
    kept.push([name, shown]);
    if (isCut) cut.push(name);
  }
  const hasMoreFields = kept.length < fields.size;
  return {
    fields: Object.fromEntries(kept),
    ...(hasMoreFields && { hasMoreFields }),
    ...(cut.length > 0 && { cut }),
  };
}

function keptField(name: string, value: string): string {
  if (value !== '' && isNotKept(name)) return NOT_KEPT;
  return name === 'key' ? keptKey(value) : keptValue(value, MAX_FIELD_CHARACTERS);
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
