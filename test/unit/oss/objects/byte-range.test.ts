import { resolveRange } from '../../../../src/oss/objects/byte-range.ts';

const SIZE = 1000;

it.each([
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-999', { start: 0, end: 999 }],
  ['bytes=999-', { start: 999, end: 999 }],
  ['bytes=500-', { start: 500, end: 999 }],
  ['bytes=-1', { start: 999, end: 999 }],
  ['bytes=-1000', { start: 0, end: 999 }],
  [' BYTES=2-3 ', { start: 2, end: 3 }],
  ['bytes=0-1000', 'whole'],
  ['bytes=500-2000', 'whole'],
  ['bytes=1000-', 'whole'],
  ['bytes=1000-1001', 'whole'],
  ['bytes=-1001', 'whole'],
  ['bytes=-0', 'whole'],
  ['bytes=5-4', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=0-1,3-4', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1', 'whole'],
  ['bytes 0-1', 'whole'],
  ['items=0-1', 'whole'],
  ['bytes=--1', 'whole'],
  ['bytes=0-99999999999999999999999', 'whole'],
])('resolves %j to %j by default', (header, expected) => {
  expect(resolveRange(header, SIZE, undefined)).toEqual(expected);
});

it.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=500-2000', { start: 500, end: 999 }],
  ['bytes=0-99999999999999999999999', { start: 0, end: 999 }],
  ['bytes=-1001', { start: 0, end: 999 }],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=1000-2000', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', 'whole'],
  ['bytes=2000-1000', 'whole'],
  ['bytes=0-1,3-4', 'whole'],
  ['nonsense', 'whole'],
])('resolves %j to %j with the standard behavior', (header, expected) => {
  expect(resolveRange(header, SIZE, 'standard')).toEqual(expected);
});

it('resolves no range of an empty body', () => {
  expect(resolveRange('bytes=0-', 0, undefined)).toBe('whole');
  expect(resolveRange('bytes=-5', 0, undefined)).toBe('whole');
  expect(resolveRange('bytes=0-', 0, 'standard')).toBe('unsatisfiable');
  expect(resolveRange('bytes=-5', 0, 'standard')).toBe('unsatisfiable');
});

it('treats an unknown behavior as the default one', () => {
  expect(resolveRange('bytes=500-2000', SIZE, 'Standard ')).toEqual({ start: 500, end: 999 });
  expect(resolveRange('bytes=500-2000', SIZE, 'lenient')).toBe('whole');
});
