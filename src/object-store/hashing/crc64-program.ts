/**
 * Generates the WebAssembly program that advances a CRC-64. It processes eight bytes per step, with one table for each
 * of them ("slicing by 8"). Each step depends on the one before, so the program processes the two halves of a block,
 * the lanes, alternately, and combines their CRCs at the end. For that, the lane tables advance a CRC over a lane of
 * zeros.
 *
 * Its memory has eight step tables and eight lane tables, one for each byte of a CRC, of 256 numbers of 64 bits each;
 * then a block. It exports `memory` and
 *
 * - `advanceBlock(crc: i64): i64` over a whole block;
 * - `advanceBytes(crc: i64, end: i32): i64` from the start of the block to an address.
 */

export const TABLE_BYTES = 256 * 8;
export const LANE_TABLES = 8 * TABLE_BYTES;
export const BLOCK = 16 * TABLE_BYTES;
const LANE_BYTES = 2048;
export const BLOCK_BYTES = 2 * LANE_BYTES;

const I32 = 0x7f;
const I64 = 0x7e;
const END = 0x0b;
const BLOCK_OF_CODE = [0x02, 0x40];
const LOOP = [0x03, 0x40];
const i32 = {
  ...{ add: 0x6a, subtract: 0x6b, and: 0x71, shiftLeft: 0x74, wrap: 0xa7 },
  ...{ below: 0x49, atLeast: 0x4f },
};
const i64 = { and: 0x83, shiftRight: 0x88, xor: 0x85 };

const branch = (depth: number): number[] => [0x0c, depth];
const branchIf = (depth: number): number[] => [0x0d, depth];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const number32 = (value: number): number[] => [0x41, ...signed(value)];
const number64 = (value: number): number[] => [0x42, ...signed(value)];
const load64 = (offset: number): number[] => [0x29, 0, ...unsigned(offset)];
const loadByte = (offset: number): number[] => [0x31, 0, ...unsigned(offset)];

/** Looks up the eight bytes of a local in the eight tables from an address on, and combines the numbers by XOR. */
function lookUp(local: number, tables: number): number[] {
  return Array.from({ length: 8 }, (_, byte) => [
    ...entry(local, byte),
    ...load64(tables + byte * TABLE_BYTES),
    ...(byte === 0 ? [] : [i64.xor]),
  ]).flat();
}

/** The offset in a table of 64 bit numbers for a byte of a local. */
function entry(local: number, byte: number): number[] {
  const offset =
    byte === 0
      ? [...get(local), i32.wrap, ...number32(3), i32.shiftLeft]
      : [...get(local), ...number64(byte * 8 - 3), i64.shiftRight, i32.wrap];
  return [...offset, ...number32(255 * 8), i32.and];
}

function advanceBlock(): number[] {
  const [first, second, firstWord, secondWord, offset] = [0, 1, 2, 3, 4] as const;
  const word = (lane: number, crc: number): number[] => [
    ...get(offset),
    ...load64(BLOCK + lane * LANE_BYTES),
    ...get(crc),
    i64.xor,
  ];
  return code({ locals: { i64: 3, i32: 1 } }, [
    ...LOOP,
    ...[...word(0, first), ...set(firstWord)],
    ...[...word(1, second), ...set(secondWord)],
    ...[...lookUp(firstWord, 0), ...set(first)],
    ...[...lookUp(secondWord, 0), ...set(second)],
    ...[...get(offset), ...number32(8), i32.add, ...set(offset)],
    ...[...get(offset), ...number32(LANE_BYTES), i32.below, ...branchIf(0)],
    END,
    ...[...lookUp(first, LANE_TABLES), ...get(second), i64.xor],
  ]);
}

function advanceBytes(): number[] {
  const [crc, end, word, address] = [0, 1, 2, 3] as const;
  const lastTable = 7 * TABLE_BYTES;
  const left = [...get(end), ...get(address), i32.subtract];
  const step = (bytes: number): number[] => [
    ...get(address),
    ...number32(bytes),
    i32.add,
    ...set(address),
  ];
  return code({ locals: { i64: 1, i32: 1 } }, [
    ...[...number32(BLOCK), ...set(address)],
    ...repeatUnless(
      [...left, ...number32(8), i32.below],
      [
        ...[...get(address), ...load64(0), ...get(crc), i64.xor, ...set(word)],
        ...[...lookUp(word, 0), ...set(crc)],
        ...step(8),
      ],
    ),
    ...repeatUnless(
      [...get(address), ...get(end), i32.atLeast],
      [
        ...[...get(crc), ...get(address), ...loadByte(0), i64.xor],
        ...[
          ...number64(255),
          i64.and,
          i32.wrap,
          ...number32(3),
          i32.shiftLeft,
          ...load64(lastTable),
        ],
        ...[...get(crc), ...number64(8), i64.shiftRight, i64.xor, ...set(crc)],
        ...step(1),
      ],
    ),
    ...get(crc),
  ]);
}

/** A loop that ends before its next round when a condition is not zero. */
function repeatUnless(condition: readonly number[], body: readonly number[]): number[] {
  return [...BLOCK_OF_CODE, ...LOOP, ...condition, ...branchIf(1), ...body, ...branch(0), END, END];
}

/** A function body with its local variables. */
function code(
  { locals }: { readonly locals: { readonly i64: number; readonly i32: number } },
  instructions: readonly number[],
): number[] {
  const body = [2, locals.i64, I64, locals.i32, I32, ...instructions, END];
  return [...unsigned(body.length), ...body];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [items.length, ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function exported(name: string, kind: 'function' | 'memory', index: number): number[] {
  return [name.length, ...Buffer.from(name), kind === 'function' ? 0 : 2, index];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

/** @returns the binary module */
export function crc64Program(): Uint8Array {
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = [
    [0x60, 1, I64, 1, I64],
    [0x60, 2, I64, I32, 1, I64],
  ];
  const pages = Math.ceil((BLOCK + BLOCK_BYTES) / 65_536);
  return Uint8Array.from([
    ...magic,
    ...section(1, types),
    ...section(3, [[0], [1]]),
    ...section(5, [[0, pages]]),
    ...section(7, [
      exported('memory', 'memory', 0),
      exported('advanceBlock', 'function', 0),
      exported('advanceBytes', 'function', 1),
    ]),
    ...section(10, [advanceBlock(), advanceBytes()]),
  ]);
}
