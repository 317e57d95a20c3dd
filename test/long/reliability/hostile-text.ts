import fc from 'fast-check';

/** Texts that prove a missing escape when they appear in a response. */
const INJECTED_HEADER = 'X-Injected: yes';
const INJECTED_XML = '<Injected/>';

const SHORT = [
  '',
  ' ',
  '.',
  '..',
  '../x',
  '../../../../etc/passwd',
  '/etc/passwd',
  '\\\\host\\share',
  'a/./b',
  'a//b',
  'a/../../b',
  '%2e%2e/%2e%2e/x',
  '%00',
  '%',
  '%zz',
  '%ff%fe',
  'nul\u0000byte',
  'e\u0301',
  '\u00e9',
  '\u202e\u202dcba',
  '\ufeffbom',
  '\u{1f4a9}',
  '\ufffe',
  '_gateway/health/live',
  '_gateway',
  'objects/00/x',
  'gateway.sqlite3',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '${filename}',
  '${bucket}${x:y}',
  '$key',
  "' OR 1=1 --",
  '"; DROP TABLE uploads; --',
  `\r\n${INJECTED_HEADER}\r\n`,
  `\n${INJECTED_HEADER}`,
  `\r${INJECTED_HEADER}`,
  INJECTED_XML,
  `]]>${INJECTED_XML}`,
  `&lt;&#60;&unknown;${INJECTED_XML}`,
  `"><${INJECTED_XML}`,
  '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;',
  'NaN',
  '-1',
  '1e400',
  '9007199254740993',
  '0x10',
  '99999999999999999999',
  'true',
  'null',
  '[]',
  '{}',
];

const LONG = [
  'k'.repeat(1023),
  'k'.repeat(1024),
  '\u00e9'.repeat(511) + 'k',
  '\u00e9'.repeat(512),
  'a/'.repeat(511),
  '../'.repeat(341),
  '${filename}'.repeat(90),
  'v'.repeat(8 * 1024),
  'v'.repeat(20_000),
];

/** Hostile text that can be sent: without lone surrogates. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SHORT) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...SHORT), fc.constantFrom(...SHORT))
      .map((two) => two.join('')),
  },
);

/** The same for a request line or a header: nearly always valid in HTTP. */
export const hostileTarget: fc.Arbitrary<string> = fc
  .tuple(hostileText, fc.integer({ min: 0, max: 19 }))
  .map(([text, spoilt]) => {
    const bytes = Buffer.from(text).toString('latin1');
    return spoilt === 0
      ? bytes.replace(/[\r\n ]/g, '+')
      : bytes.replace(/[^!-~]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  });

/** A harmless value, or with a low probability a hostile one. */
export function seldom<T>(
  every: number,
  ill: fc.Arbitrary<T>,
  well: fc.Arbitrary<T>,
): fc.Arbitrary<T> {
  return fc.oneof({ weight: every - 1, arbitrary: well }, { weight: 1, arbitrary: ill });
}

/** Hostile JSON. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(0, -1, 1e308, 2 ** 53, 0.1, true, false, null, [], {}, [[[[]]]]),
);
