import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLORS = 256;
/** Between two colors that are kept, squared. */
const MIN_DISTANCE = 48;
/** Red, green and blue. */
const CHANNELS = 3;

/** @returns a picture with its most frequent colors alone, which needs a third of the bytes. @param png - 8 bits of each RGB channel, as Chromium writes them */
export function shrinkPng(png: Buffer): Buffer {
  const chunks = readChunks(png);
  const header = Buffer.from(chunks.find(({ type }) => type === 'IHDR')?.data ?? []);
  if (header[8] !== 8 || header[9] !== 2) throw new Error('expected 8 bits of RGB in each pixel');
  const width = header.readUInt32BE(0);
  const data = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map((each) => each.data));
  const pixels = toPixels(inflateSync(data), width);
  const palette = frequentColors(pixels);
  // A palette.
  header[9] = 3;
  return Buffer.concat([
    SIGNATURE,
    chunkOf('IHDR', header),
    chunkOf('PLTE', Buffer.from(palette.flatMap((color) => channelsOf(color)))),
    chunkOf('IDAT', deflateSync(indexRows(pixels, width, palette), { level: 9 })),
    chunkOf('IEND', Buffer.alloc(0)),
  ]);
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function readChunks(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

function chunkOf(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return chunk;
}

/** Undoes the filter of each row. @returns one number of 24 bits for each pixel */
function toPixels(filtered: Buffer, width: number): Uint32Array {
  const stride = width * CHANNELS;
  const height = filtered.length / (stride + 1);
  const bytes = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row += 1) {
    const filter = filtered[row * (stride + 1)] ?? 0;
    for (let column = 0; column < stride; column += 1) {
      const at = row * stride + column;
      const left = column < CHANNELS ? 0 : (bytes[at - CHANNELS] ?? 0);
      const up = row === 0 ? 0 : (bytes[at - stride] ?? 0);
      const corner = column < CHANNELS || row === 0 ? 0 : (bytes[at - stride - CHANNELS] ?? 0);
      const value = filtered[at + row + 1] ?? 0;
      bytes[at] = (value + predict(filter, left, up, corner)) & 0xff;
    }
  }
  return Uint32Array.from({ length: width * height }, (_, pixel) =>
    bytes.readUIntBE(pixel * CHANNELS, CHANNELS),
  );
}

function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter < 3) return [0, left, up][filter] ?? 0;
  if (filter === 3) return (left + up) >> 1;
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((each) => Math.abs(guess - each));
  const [a = 0, b = 0, c = 0] = [toLeft, toUp, toCorner];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function channelsOf(color: number): [number, number, number] {
  return [color >> 16, (color >> 8) & 0xff, color & 0xff];
}

function frequentColors(pixels: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const chosen: number[] = [];
  for (const [color] of byCount) {
    if (chosen.length === COLORS) break;
    // A rare color that looks like no other, such as that of a small dot, counts more than one shade more.
    if (chosen.every((each) => distanceOf(each, color) > MIN_DISTANCE)) chosen.push(color);
  }
  return chosen;
}

/** @returns a row of places in the palette for each row, each after the filter "none" */
function indexRows(pixels: Uint32Array, width: number, palette: readonly number[]): Buffer {
  const known = new Map<number, number>();
  const rows = Buffer.alloc(pixels.length + pixels.length / width);
  pixels.forEach((pixel, at) => {
    const index = known.get(pixel) ?? nearest(pixel, palette);
    known.set(pixel, index);
    rows[at + Math.floor(at / width) + 1] = index;
  });
  return rows;
}

function distanceOf(one: number, other: number): number {
  const wanted = channelsOf(other);
  return channelsOf(one).reduce((sum, channel, at) => sum + (channel - (wanted[at] ?? 0)) ** 2, 0);
}

function nearest(color: number, palette: readonly number[]): number {
  const distances = palette.map((each) => distanceOf(each, color));
  return distances.indexOf(Math.min(...distances));
}
