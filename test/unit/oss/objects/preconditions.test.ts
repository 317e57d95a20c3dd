import {
  evaluatePreconditions,
  isRangeApplicable,
} from '../../../../src/oss/objects/preconditions.ts';

const ETAG = '"0CC175B9C0F1B6A831C399E269772661"';
const OTHER = '"FFFFB9C0F1B6A831C399E269772661FF"';
const AT = 'Thu, 17 Nov 2005 18:49:58 GMT';
const BEFORE = 'Thu, 17 Nov 2005 18:49:57 GMT';
const AFTER = 'Thu, 17 Nov 2005 18:49:59 GMT';
const validators = { etag: ETAG, lastModified: Date.UTC(2005, 10, 17, 18, 49, 58, 678) };

it.each([
  [{}, 'proceed'],
  [{ 'if-match': ETAG }, 'proceed'],
  [{ 'if-match': ETAG.slice(1, -1) }, 'proceed'],
  [{ 'if-match': `${OTHER}, ${ETAG}` }, 'proceed'],
  [{ 'if-match': '*' }, 'proceed'],
  [{ 'if-match': OTHER }, 'If-Match'],
  [{ 'if-match': `W/${ETAG}` }, 'If-Match'],
  [{ 'if-match': '' }, 'If-Match'],
  [{ 'if-none-match': OTHER }, 'proceed'],
  [{ 'if-none-match': ETAG }, 'notModified'],
  [{ 'if-none-match': ETAG.slice(1, -1) }, 'notModified'],
  [{ 'if-none-match': `W/${ETAG}` }, 'notModified'],
  [{ 'if-none-match': '*' }, 'notModified'],
  [{ 'if-modified-since': BEFORE }, 'proceed'],
  [{ 'if-modified-since': AT }, 'notModified'],
  [{ 'if-modified-since': AFTER }, 'notModified'],
  [{ 'if-modified-since': 'yesterday' }, 'proceed'],
  [{ 'if-modified-since': 'Thu, 99 Nov 2005 18:49:58 GMT' }, 'proceed'],
  [{ 'if-modified-since': '2030-01-01T00:00:00Z' }, 'proceed'],
  [{ 'if-unmodified-since': BEFORE }, 'If-Unmodified-Since'],
  [{ 'if-unmodified-since': AT }, 'proceed'],
  [{ 'if-unmodified-since': AFTER }, 'proceed'],
  [{ 'if-unmodified-since': 'yesterday' }, 'proceed'],
  [{ 'if-match': ETAG, 'if-none-match': ETAG }, 'notModified'],
  [{ 'if-match': OTHER, 'if-none-match': ETAG }, 'If-Match'],
  [{ 'if-match': ETAG, 'if-unmodified-since': BEFORE }, 'proceed'],
  [{ 'if-none-match': OTHER, 'if-modified-since': AFTER }, 'proceed'],
  [{ 'if-unmodified-since': AFTER, 'if-modified-since': AFTER }, 'notModified'],
])('evaluates %j to %s', (headers, expected) => {
  expect(evaluatePreconditions(new Map(Object.entries(headers)), validators)).toBe(expected);
});

it.each([
  [undefined, true],
  [ETAG, true],
  [OTHER, false],
  [`W/${ETAG}`, false],
  [AT, true],
  [AFTER, false],
  ['nonsense', false],
])('decides for If-Range %j whether the range applies: %s', (header, expected) => {
  expect(
    isRangeApplicable(new Map(header === undefined ? [] : [['if-range', header]]), validators),
  ).toBe(expected);
});
