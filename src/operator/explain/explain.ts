import { visible } from '../../lib/quoted.ts';
import type { RefusalReason } from '../../refusals/refusal-reason.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { StoryShape } from '../shapes.ts';
import { iso } from '../show.ts';
import { corsLines, factLines, tellClocks } from './fact-lines.ts';
import { conditionLines, policyExpiry } from './form-story.ts';
import type { KnownKey } from './known-mistakes.ts';
import { info, masked } from './lines.ts';
import type { Line, Told } from './lines.ts';
import { tellSignature } from './signature-story.ts';
import { toPassOf } from './to-pass.ts';

/** What a story is made with. */
export interface ExplainContext {
  readonly bucket: string;
  /** The keys that known mistakes are tried with. */
  readonly keys: readonly KnownKey[];
  /** How long a form is valid, in milliseconds. */
  readonly policyTtl: number;
  /** The largest file, in bytes. */
  readonly maxUpload: number;
  /** The fields of the form by lower-case name, where more is known of it than its record keeps. */
  readonly form?: ReadonlyMap<string, string>;
}

type Telling = (refusal: RefusalRecord, context: ExplainContext) => Line[] | Told;

interface Story {
  /** What to do. */
  readonly toPass: string | ((refusal: RefusalRecord) => string);
  /** Adds to the message of the refusal. */
  readonly lines?: Telling;
}

const SEND_AS_RETURNED =
  'send the fields exactly as GenerateOTAUploadURL returned them: Key, Policy, OSSAccessKeyId, Signature';

const SIGN_FORM =
  "for a form use Signature and OSSAccessKeyId as returned; the account's secret signs API calls only";

/** One story for each reason. */
const STORIES: Readonly<Record<RefusalReason, Story>> = {
  signature_mismatch: {
    toPass: ({ dialect, operation }) => {
      if (operation === 'PostObject') return SIGN_FORM;
      const sign = 'sign with the secret that belongs to the access key';
      return dialect === 'oss' ? `${sign}, or use a URL of \`ota-gateway url\`` : sign;
    },
    lines: tellSignature,
  },
  unknown_access_key: {
    toPass:
      'use an access key of `ota-gateway accounts ls` for API calls, and the OSSAccessKeyId that GenerateOTAUploadURL returned for forms',
    lines: keyLines,
  },
  disabled_access_key: {
    toPass: 'use another key of the account, or `ota-gateway accounts enable` the key',
    lines: keyLines,
  },
  security_token: {
    toPass: 'get new temporary credentials, and send their SecurityToken with them',
    lines: keyLines,
  },
  anonymous: {
    toPass: 'sign the request; reads without a signature need OTA_GATEWAY_PUBLIC_READ=on',
    lines: () => [info('the request has no signature')],
  },
  forbidden: {
    toPass:
      'use an access key of an operator, and no web page of another host; test controls and metrics have their own rules, see docs/test-mode.md and docs/operations.md',
  },
  policy_invalid: {
    toPass:
      'send the policy as GenerateOTAUploadURL returned it, or mend the place that the message names',
    lines: conditionLines,
  },
  policy_expired: {
    toPass: 'call GenerateOTAUploadURL again, and post the form at once',
    lines: expiryLines,
  },
  condition_failed: {
    toPass: SEND_AS_RETURNED,
    lines: conditionLines,
  },
  uncovered_field: {
    toPass: 'leave the field out, or sign a policy with a condition for each of these fields',
    lines: conditionLines,
  },
  too_large: {
    toPass: 'send a smaller file; the largest is set by OTA_GATEWAY_MAX_UPLOAD and by the policy',
  },
  too_small: { toPass: 'send a file that has at least the size of the policy' },
  limit: {
    toPass: 'delete packages or uploads that are not needed, or raise the limit that is named',
  },
  disk_full: {
    toPass: 'make room on the disk of the data folder; OTA_GATEWAY_MIN_FREE of it stays free',
  },
  form_malformed: {
    toPass: 'send multipart/form-data with each field once, before one part named file',
  },
  key_invalid: { toPass: 'use the Key that GenerateOTAUploadURL returned' },
  clock_skew: {
    toPass: 'set the clock of the client; 15 minutes of difference are allowed',
    lines: tellClocks,
  },
  replayed: { toPass: 'make a new SignatureNonce and sign again for each try' },
  throttled: {
    toPass: 'wait for the time of x-acs-retry-after; OTA_GATEWAY_QPS sets calls per second',
  },
  cors: { toPass: 'add a rule to OTA_GATEWAY_CORS_RULES', lines: corsLines },
  immutable: { toPass: 'upload to a new Key: a firmware package has this file' },
  exists: { toPass: 'use a new key, or send no x-oss-forbid-overwrite' },
  not_found: { toPass: 'check key and bucket: `ota-gateway show` tells what became of an upload' },
  url_expired: { toPass: 'make a new URL: `ota-gateway url`', lines: tellClocks },
  claim_unknown: { toPass: 'send FirmwareUrl exactly as GenerateOTAUploadURL returned it' },
  claim_late: {
    toPass: 'upload again, and call CreateOTAFirmware before the deadline (OTA_GATEWAY_CLAIM_TTL)',
  },
  claim_mismatch: { toPass: 'send size and digest of the file that was uploaded' },
  claim_taken: { toPass: 'use the package that has it, or another name' },
  callback_failed: {
    toPass: 'let the server of the callback answer 200 with JSON',
    lines: () => [info('the file is stored: do not post it again')],
  },
  precondition: { toPass: 'look up the object again: it is not what the condition expects' },
  unsupported: { toPass: 'use an operation of docs/iot-api.md or docs/errors.md' },
  incomplete: { toPass: 'send the whole request; the connection was cut, or too slow' },
  overloaded: {
    toPass:
      'try again: too many requests were being read, or the store of the files did not answer',
  },
  not_http: { toPass: 'send HTTP/1.1, with https:// where the port serves TLS' },
  ordered_fault: { toPass: 'nothing: a test has injected it' },
  parameter: { toPass: 'send the parameter as the message says' },
  internal: { toPass: 'look for the id of the request in the log, at the level error' },
};

/**
 * Tells why a request was refused: what was sent, what was expected, and what to do. It derives everything from the
 * record, so that it is the same wherever it is asked.
 */
export function explain(refusal: RefusalRecord, context: ExplainContext): StoryShape {
  const { code, message, operation, reason, requestId, status } = refusal;
  const { lines: tell, toPass } = STORIES[reason];
  const told = tell?.(refusal, context) ?? [];
  const { lines, ...beside } = Array.isArray(told) ? { lines: told } : told;
  return {
    requestId,
    headline: visible(
      `${operation ?? 'A request'} was refused with ${String(status)} ${code} (${reason})${sender(refusal)}`,
    ),
    lines: [info(message), ...lines, ...announcedLine(refusal), ...factLines(refusal, context)].map(
      visibleLine,
    ),
    toPass: visible(toPassOf(refusal) ?? (typeof toPass === 'string' ? toPass : toPass(refusal))),
    ...beside,
  };
}

/** Texts of clients may have characters that move the cursor or change the direction of text. */
export function visibleLine({ details, mark, text }: Line): Line {
  return { mark, text: visible(text), ...(details && { details: details.map(visible) }) };
}

function announcedLine({ announced, operation }: RefusalRecord): Line[] {
  return announced === undefined || operation === 'Preflight'
    ? []
    : [info(`the request has announced ${announced.toLocaleString('en')} bytes`)];
}

function sender({ agent, peer, repeats }: RefusalRecord): string {
  const from = peer === undefined ? '' : `, from ${peer}`;
  const by = agent === undefined ? '' : ` (${agent})`;
  return `${from}${by}${repeats === 0 ? '' : `, and ${String(repeats)} more like it`}`;
}

function keyLines({ accessKeyId, dialect }: RefusalRecord, { keys }: ExplainContext): Line[] {
  const kind = dialect === 'oss' ? 'bucket' : 'account';
  const known = keys.filter((key) => key.kind === kind).map(({ id }) => masked(id));
  const other = keys.find((key) => key.kind !== kind && key.id === accessKeyId);
  return [
    ...(accessKeyId === undefined ? [] : [info(`sent access key ${masked(accessKeyId)}`)]),
    ...(other ? [info(WRONG_KIND[kind])] : []),
    ...(known.length === 0 ? [] : [info(`${KEYS_OF[kind]}: ${known.join(', ')}`)]),
  ];
}

/** What is said of a key of the other kind. */
const WRONG_KIND = {
  account: 'this is the key of the bucket; the key of an account is expected',
  bucket: 'this is the key of an account; the key of the bucket is expected (Data.OSSAccessKeyId)',
} as const;

const KEYS_OF = { account: 'keys of accounts', bucket: 'key of the bucket' } as const;

function expiryLines(refusal: RefusalRecord, context: ExplainContext): Line[] {
  const { policyTtl } = context;
  const expiresAt = policyExpiry(refusal, context);
  if (expiresAt === undefined) return [];
  const late = (refusal.at - expiresAt) / 1000;
  return [
    info(`issued ${iso(expiresAt - policyTtl)} if the gateway has signed it`),
    info(`expired ${iso(expiresAt)}`),
    info(`arrived ${iso(refusal.at)}, ${late.toFixed(1)} s after that`),
  ];
}
