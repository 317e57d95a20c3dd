import type { NonceMemory } from '../../src/accounts/ports.ts';

/** A new memory of nonces under test. */
export interface NoncesUnderTest {
  nonces: NonceMemory;
  /** The same nonces as another process or connection uses them. */
  another: NonceMemory;
  dispose(): Promise<void>;
}

/** The tests that every memory of nonces passes. */
export function describeNonces(name: string, open: () => Promise<NoncesUnderTest>): void {
  describe(`${name} as a memory of nonces`, () => {
    let subject: NoncesUnderTest;
    let nonces: NonceMemory;

    beforeEach(async () => {
      subject = await open();
      ({ nonces } = subject);
    });

    afterEach(() => subject.dispose());

    it('accepts a nonce of an access key once until it is removed', async () => {
      expect(await nonces.burn('ak', 'n', 100)).toBe(true);
      expect(await nonces.burn('ak', 'n', 100)).toBe(false);
      expect(await subject.another.burn('ak', 'n', 100)).toBe(false);
      expect(await nonces.burn('other', 'n', 100)).toBe(true);
      expect(await nonces.prune(100, 10)).toBe(0);
      expect(await nonces.prune(101, 1)).toBe(1);
      expect(await nonces.prune(101, 10)).toBe(1);
      expect(await nonces.burn('ak', 'n', 200)).toBe(true);
    });

    it('does not confuse an access key with the nonce behind it, nor letters of another case', async () => {
      expect(await nonces.burn('ak', 'bn', 100)).toBe(true);
      for (const [accessKeyId, nonce] of [
        ['akb', 'n'],
        ['ak', 'BN'],
        ['AK', 'bn'],
        ['ak', 'bn '],
        ['ak', ' bn'],
      ] as const)
        expect(await nonces.burn(accessKeyId, nonce, 100)).toBe(true);
    });

    it.each([
      ['128 letters', 'n'.repeat(128)],
      ['128 characters of three bytes', '字'.repeat(128)],
      ['quotes and controls', `'"\\%_\u0001\n`],
      ['one half of a pair', '\ud800'],
      ['no character', ''],
    ])('keeps a nonce of %s', async (_what, nonce) => {
      expect(await nonces.burn('ak', nonce, 100)).toBe(true);
      expect(await nonces.burn('ak', nonce, 100)).toBe(false);
    });

    it('accepts a nonce once when it comes many times at once, also to two instances', async () => {
      const accepted = await Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          (n % 2 ? nonces : subject.another).burn('ak', 'n', 100),
        ),
      );
      expect(accepted.filter(Boolean)).toHaveLength(1);
    });

    it('removes each nonce once when two instances remove at once', async () => {
      for (let n = 0; n < 20; n += 1) await nonces.burn('ak', String(n), n);
      const pruned = await Promise.all([nonces.prune(10, 100), subject.another.prune(10, 100)]);
      expect(pruned[0] + pruned[1]).toBe(10);
    });
  });
}
