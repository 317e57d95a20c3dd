interface Body {
  readonly sequence: number;
}

/**
 * Which bodies in `purging` are taken, and until when. They are kept in memory, because only one gateway at a time can use
 * a data folder: after a restart all bodies are free at once, and a full disk cannot keep the purge from taking bodies.
 */
export class Leases {
  readonly #takenUntil = new Map<number, number>();

  /**
   * Takes what a step has found, when it is committed; nothing when the step fails, which it may do after its commit. On a
   * full disk it may then be committed again, with other bodies: only the last ones are taken.
   * @param found - returns what the last run of the step has found
   */
  async takeOf<T>(
    takenUntil: number,
    found: () => readonly Body[],
    run: (committed: () => void) => Promise<T>,
  ): Promise<T> {
    let taken: readonly Body[] = [];
    const giveBack = (): void => {
      this.end(taken.map(({ sequence }) => sequence));
    };
    try {
      return await run(() => {
        giveBack();
        taken = found();
        this.take(taken, takenUntil);
      });
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  isFree(sequence: number, at: number): boolean {
    return (this.#takenUntil.get(sequence) ?? -Infinity) <= at;
  }

  take(bodies: readonly Body[], takenUntil: number): void {
    for (const { sequence } of bodies) this.#takenUntil.set(sequence, takenUntil);
  }

  end(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#takenUntil.delete(sequence);
  }
}
