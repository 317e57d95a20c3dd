import { once } from '../../lib/once.ts';
import { BLOCK, BLOCK_BYTES, crc64Program, LANE_TABLES, TABLE_BYTES } from './crc64-program.ts';

/** ECMA-182, reflected: the polynomial of CRC-64/XZ, which OSS returns in `x-oss-hash-crc64ecma`. */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const ONES = 0xffff_ffff_ffff_ffffn;

/** A CRC-64/XZ that is being computed. CRCs of one engine share its memory, but not their state. */
export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** @returns the CRC so far, as an unsigned decimal */
  digest(): string;
}

/** Starts CRCs. */
export interface Crc64Engine {
  start(): Crc64;
}

type Advance = (crc: bigint, end?: number) => bigint;

/** Loads the program and fills its tables with the first CRC, which takes a few milliseconds. */
export function createCrc64Engine(): Crc64Engine {
  const program = once(loadProgram);
  return { start: () => startCrc(program()) };
}

/** @returns a function that advances a CRC by at most a block of bytes */
function loadProgram(): (crc: bigint, bytes: Uint8Array) => bigint {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(crc64Program()));
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('the CRC program has no memory');
  const advanceBlock = typedAdvance(exports['advanceBlock']);
  const advanceBytes = typedAdvance(exports['advanceBytes']);
  const block = new Uint8Array(memory.buffer, BLOCK, BLOCK_BYTES);
  const advance = (crc: bigint, bytes: Uint8Array): bigint => {
    block.set(bytes);
    return bytes.length === BLOCK_BYTES
      ? advanceBlock(crc)
      : advanceBytes(crc, BLOCK + bytes.length);
  };
  fillTables(memory.buffer, advance);
  return advance;
}

function startCrc(advance: (crc: bigint, bytes: Uint8Array) => bigint): Crc64 {
  let crc = ONES;
  return {
    update: (bytes) => {
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        crc = advance(crc, bytes.subarray(at, at + BLOCK_BYTES));
      }
    },
    digest: () => BigInt.asUintN(64, ~crc).toString(),
  };
}

function typedAdvance(program: unknown): Advance {
  if (typeof program !== 'function') throw new Error('the CRC program lacks a function');
  return (crc, end) => {
    const advanced: unknown = Reflect.apply(program, undefined, [crc, end]);
    if (typeof advanced !== 'bigint') throw new Error('the CRC program has returned no CRC');
    return advanced;
  };
}

function fillTables(
  memory: ArrayBuffer,
  advance: (crc: bigint, bytes: Uint8Array) => bigint,
): void {
  const steps = new BigUint64Array(memory, 0, LANE_TABLES / 8);
  const table = (index: number): BigUint64Array => steps.subarray(index * 256, index * 256 + 256);
  const last = table(7);
  last.forEach((_, byte) => {
    last[byte] = afterZeroBits(BigInt(byte), 8);
  });
  // The last of eight bytes is followed by no other byte; each byte before it is followed by one more.
  for (let index = 6; index >= 0; index -= 1) {
    table(index).set(table(index + 1).map((crc) => afterZeroByte(crc, last)));
  }
  const zeros = new Uint8Array(BLOCK_BYTES / 2);
  const lanes = new BigUint64Array(memory, LANE_TABLES, (8 * TABLE_BYTES) / 8);
  for (let bit = 0; bit < 64; bit += 1) {
    const image = BigInt.asUintN(64, advance(1n << BigInt(bit), zeros));
    const own = lanes.subarray((bit >> 3) * 256);
    const power = 1 << (bit & 7);
    // The CRC of an XOR is the XOR of the CRCs, so the numbers below the power are already in the table.
    for (let low = 0; low < power; low += 1) own[power + low] = (own[low] ?? 0n) ^ image;
  }
}

function afterZeroBits(crc: bigint, count: number): bigint {
  return count === 0
    ? crc
    : afterZeroBits((crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n, count - 1);
}

function afterZeroByte(crc: bigint, table: BigUint64Array): bigint {
  return (table[Number(crc & 0xffn)] ?? 0n) ^ (crc >> 8n);
}
