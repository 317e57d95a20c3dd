import { createHmac } from 'node:crypto';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';

/** A secret that a client may have signed with. It is not given out. */
export interface KnownKey {
  readonly id: string;
  readonly kind: 'account' | 'bucket';
  /** @returns HMAC with the secret and a suffix */
  readonly hmac: BucketKey['hmac'];
}

/** @returns the access key of an account as a key that mistakes are tried with */
export function knownAccountKey({ id, secret }: { id: string; secret: string }): KnownKey {
  return {
    ...{ id, kind: 'account' },
    hmac: (algorithm, text, suffix) =>
      createHmac(algorithm, secret + suffix)
        .update(text, 'utf8')
        .digest(),
  };
}

/** A wrong signature, and what it should have been made of. */
export interface SignatureCase {
  readonly provided: string;
  /** The text that is to be signed. */
  readonly stringToSign: string;
  /** What is right: which key, and what follows its secret. */
  readonly kind: KnownKey['kind'];
  readonly suffix: '' | '&';
}

/** Something that clients do to the text before they sign it (carrierwave-aliyun#12, aws-sdk-ruby#7). */
const TEXTS: readonly { readonly what: string; readonly of: (text: string) => string }[] = [
  { what: '', of: (text) => text },
  { what: 'of the JSON instead of its Base64', of: fromBase64 },
  { what: 'of the policy with line breaks in its Base64', of: withLineBreaks },
  { what: 'of the text percent-encoded', of: encodeURIComponent },
  { what: 'of the text with spaces for each "+"', of: (text) => text.replaceAll('+', ' ') },
  { what: 'of the text with a line break at its end', of: (text) => `${text}\n` },
];

const ALGORITHMS = [
  { what: '', name: 'sha1' },
  { what: 'with SHA-256 instead of SHA-1', name: 'sha256' },
] as const;

const ENCODINGS = [
  { what: '', name: 'base64' },
  { what: 'in hexadecimal instead of Base64', name: 'hex' },
] as const;

const SUFFIXES = [
  { what: '', text: '' },
  { what: 'with a space after the secret', text: ' ' },
  { what: 'with a line break after the secret', text: '\n' },
];

/**
 * Tries the mistakes that clients are known to make. It takes milliseconds for each dozen of keys, so do it when somebody
 * asks, never while refusing.
 * @returns what makes the signature right; undefined when nothing does
 */
export function findKnownMistake(
  { kind, provided, stringToSign, suffix }: SignatureCase,
  keys: readonly KnownKey[],
): string | undefined {
  const wanted = provided.trim();
  const texts = TEXTS.map(({ of, what }) => ({ what, text: of(stringToSign) }));
  for (const key of keys) {
    for (const after of [...SUFFIXES, otherSuffix(suffix)]) {
      const end = after.what.includes('&') ? after.text : after.text + suffix;
      for (const { text, what } of texts) {
        for (const algorithm of ALGORITHMS) {
          const made = key.hmac(algorithm.name, text, end);
          for (const encoding of ENCODINGS) {
            if (!equalInConstantTime(made.toString(encoding.name), wanted)) continue;
            const parts = [whose(key, kind), after.what, what, algorithm.what, encoding.what];
            return describe(parts);
          }
        }
      }
    }
  }
  return undefined;
}

function otherSuffix(suffix: '' | '&'): { what: string; text: string } {
  return suffix === '&'
    ? { what: 'without the "&" after the secret', text: '' }
    : { what: 'with an "&" after the secret', text: '&' };
}

function whose(key: KnownKey, kind: KnownKey['kind']): string {
  const name = `...${key.id.slice(-4)}`;
  if (key.kind === kind) return `with the secret of ${kind} key ${name}`;
  return `with the secret of ${key.kind} key ${name}, where a secret of the ${kind} is expected`;
}

function describe(parts: readonly string[]): string {
  return `It fits when made ${parts.filter((part) => part !== '').join(', ')}.`;
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** As `Base64.encode64` of Ruby and `base64` of coreutils do it. */
function withLineBreaks(text: string): string {
  return `${text.replace(/.{60}/g, '$&\n')}\n`;
}
