import { createHmac } from 'node:crypto';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import type { ScopeV4 } from '../../signatures/credential-v4.ts';
import { signPostV4 } from '../../signatures/post.ts';

/** A secret that a client may have signed with. It is not given out. */
export interface KnownKey {
  readonly id: string;
  readonly kind: 'account' | 'bucket';
  /** @returns HMAC with the secret and a suffix */
  readonly hmac: BucketKey['hmac'];
  /** @returns the signature of version 4, in hexadecimal */
  readonly signV4: (scope: ScopeV4, text: string) => string;
}

/** @returns the access key of an account as a key that mistakes are tried with */
export function knownAccountKey({ id, secret }: { id: string; secret: string }): KnownKey {
  return {
    ...{ id, kind: 'account' },
    hmac: (algorithm, text, suffix) =>
      createHmac(algorithm, secret + suffix)
        .update(text, 'utf8')
        .digest(),
    signV4: (scope, text) => signPostV4(secret, scope, text),
  };
}

/** How a signature has to be made: whose secret, what follows it, by which HMAC, and how it is written. */
export interface SignatureRule {
  readonly kind: KnownKey['kind'];
  readonly suffix: '' | '&';
  readonly algorithm: 'sha1' | 'sha256';
  readonly encoding: 'base64' | 'hex';
  /** Of version 4, which derives a key from the secret. */
  readonly scope?: ScopeV4;
}

/** A wrong signature, and what it should have been made of. */
export interface SignatureCase extends SignatureRule {
  readonly provided: string;
  /** The text that is to be signed. */
  readonly stringToSign: string;
}

/** What makes a wrong signature right. */
export interface KnownMistake {
  /** How it was made, in a sentence. */
  readonly description: string;
  /** The text that it was made of. */
  readonly signed: string;
}

/** Something that clients do to the text before they sign it (carrierwave-aliyun#12, aws-sdk-ruby#7). */
const TEXTS: readonly { readonly what: string; readonly of: (text: string) => string }[] = [
  { what: '', of: (text) => text },
  { what: 'of the JSON instead of its Base64', of: fromBase64 },
  {
    what: 'of the text without the line breaks that were sent',
    of: (text) => text.replace(/[\r\n]/g, ''),
  },
  { what: 'of the policy with line breaks in its Base64', of: (text) => withLineBreaks(text, 60) },
  { what: 'of the policy with line breaks in its Base64', of: (text) => withLineBreaks(text, 76) },
  { what: 'of the text percent-encoded', of: encodeURIComponent },
  { what: 'of the text with spaces for each "+"', of: (text) => text.replaceAll('+', ' ') },
  { what: 'of the text with a line break at its end', of: (text) => `${text}\n` },
];

const ALGORITHMS = { sha1: 'SHA-1', sha256: 'SHA-256' } as const;
const ENCODINGS = { base64: 'Base64', hex: 'hexadecimal' } as const;

const SUFFIXES = [
  { what: '', text: '' },
  { what: 'with a space after the secret', text: ' ' },
  { what: 'with a line break after the secret', text: '\n' },
];

/**
 * Tries the mistakes that clients are known to make. It takes milliseconds for each dozen of keys, so do it on
 * request, never while refusing.
 * @returns what makes the signature right; undefined when nothing does
 */
export function findKnownMistake(
  { provided, stringToSign, scope, ...rule }: SignatureCase,
  keys: readonly KnownKey[],
): KnownMistake | undefined {
  const wanted = provided.trim();
  const derived = scope && findMistakeV4(wanted, stringToSign, scope, keys);
  if (derived !== undefined) return derived;
  const underived =
    scope === undefined ? '' : 'with the secret itself instead of the key derived from it';
  for (const key of keys) {
    for (const { end, text, what } of variants(rule, stringToSign)) {
      for (const algorithm of ['sha1', 'sha256'] as const) {
        const made = key.hmac(algorithm, text, end);
        for (const encoding of ['base64', 'hex'] as const) {
          if (!equalInConstantTime(made.toString(encoding), wanted)) continue;
          const how = [
            algorithm === rule.algorithm
              ? ''
              : insteadOf('with', ALGORITHMS, algorithm, rule.algorithm),
            encoding === rule.encoding ? '' : insteadOf('in', ENCODINGS, encoding, rule.encoding),
          ];
          return found(text, [whose(key, rule.kind), underived, ...what, ...how]);
        }
      }
    }
  }
  return undefined;
}

/** Tries the mistakes that are made with a derived key. */
function findMistakeV4(
  wanted: string,
  stringToSign: string,
  scope: ScopeV4,
  keys: readonly KnownKey[],
): KnownMistake | undefined {
  const scopes = [
    { what: '', ...scope },
    { what: 'with the prefix oss- before the region', ...scope, region: `oss-${scope.region}` },
  ];
  for (const key of keys) {
    for (const { what: where, ...each } of scopes) {
      for (const { of, what } of TEXTS) {
        const signed = of(stringToSign);
        const made = key.signV4(each, signed);
        const isHex = equalInConstantTime(made, wanted.toLowerCase());
        const base64 = Buffer.from(made, 'hex').toString('base64');
        if (!isHex && !equalInConstantTime(base64, wanted)) continue;
        const how = isHex ? '' : 'in Base64 instead of hexadecimal';
        const written = isHex && made !== wanted ? 'in upper case' : '';
        return found(signed, [whose(key, 'bucket'), where, what, how, written]);
      }
    }
  }
  return undefined;
}

interface Variant {
  readonly end: string;
  readonly text: string;
  /** What is wrong with them. */
  readonly what: readonly string[];
}

function variants({ suffix }: SignatureRule, stringToSign: string): Variant[] {
  const ends = [
    ...SUFFIXES.map(({ text, what }) => ({ what, end: text + suffix })),
    otherSuffix(suffix),
  ];
  return ends.flatMap(({ end, what: after }) =>
    TEXTS.map(({ of, what }) => ({ end, text: of(stringToSign), what: [after, what] })),
  );
}

function insteadOf<Name extends string>(
  preposition: string,
  names: Readonly<Record<Name, string>>,
  found: Name,
  right: Name,
): string {
  return `${preposition} ${names[found]} instead of ${names[right]}`;
}

function otherSuffix(suffix: '' | '&'): { what: string; end: string } {
  return suffix === '&'
    ? { what: 'without the "&" after the secret', end: '' }
    : { what: 'with an "&" after the secret', end: '&' };
}

function whose(key: KnownKey, kind: KnownKey['kind']): string {
  const name = `...${key.id.slice(-4)}`;
  if (key.kind === kind) return `with the secret of ${kind} key ${name}`;
  return `with the secret of ${key.kind} key ${name}, where a secret of the ${kind} is expected`;
}

function found(signed: string, parts: readonly string[]): KnownMistake {
  const how = parts.filter((part) => part !== '').join(', ');
  return { description: `It fits when made ${how}.`, signed };
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** As `Base64.encode64` of Ruby (60 characters a line) and `base64` of coreutils (76) do it. */
function withLineBreaks(text: string, width: number): string {
  const lines = text.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? [];
  return lines.map((line) => `${line}\n`).join('');
}
