import fc from 'fast-check';
import { createCRC64 } from 'hash-wasm';
import { createCrc64Engine } from '../../../../src/object-store/hashing/crc64.ts';
import { inChunks, patternBytes } from '../../../support/bytes.ts';

describe('CRC-64/XZ', () => {
  const engine = createCrc64Engine();

  function crcOf(...pieces: Uint8Array[]): string {
    const crc = engine.start();
    for (const piece of pieces) crc.update(piece);
    return crc.digest();
  }

  async function reference(bytes: Uint8Array): Promise<string> {
    const crc = await createCRC64();
    return BigInt(`0x${crc.update(bytes).digest('hex')}`).toString();
  }

  it.each([
    ['nothing', '', '0'],
    ['123456789, the check value of the catalog', '123456789', '11051210869376104954'],
  ])('has the known value for %s', (_of, text, crc) => {
    expect(crcOf(Buffer.from(text))).toBe(crc);
  });

  it.each([1, 7, 8, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 12_289, 1_000_003])(
    'equals the result of another implementation for %d bytes',
    async (size) => {
      const bytes = patternBytes(size);
      expect(crcOf(bytes)).toBe(await reference(bytes));
    },
  );

  it('does not depend on how the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.integer({ min: 1, max: 9000 }),
        async (bytes, size) => {
          const pieces: Buffer[] = [];
          for await (const piece of inChunks(Buffer.from(bytes), size)) pieces.push(piece);
          expect(crcOf(...pieces)).toBe(await reference(bytes));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps the state of CRCs separate that are computed at the same time', () => {
    const [one, two] = [engine.start(), engine.start()];
    one.update(Buffer.from('12345'));
    two.update(Buffer.from('1234'));
    one.update(Buffer.from('6789'));
    two.update(Buffer.from('56789'));
    expect([one.digest(), two.digest()]).toEqual([crcOf(Buffer.from('123456789')), one.digest()]);
  });
});
