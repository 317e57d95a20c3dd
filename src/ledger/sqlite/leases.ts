/**
 * Which bodies in `purging` are taken, and until when. They are kept in memory, because only one gateway at a time can use
 * a data folder: after a restart all bodies are free at once, and a full disk cannot keep the purge from taking bodies.
 */
export class Leases {
  readonly #takenUntil = new Map<number, number>();

  isFree(sequence: number, at: number): boolean {
    return (this.#takenUntil.get(sequence) ?? -Infinity) <= at;
  }

  take(bodies: readonly { readonly sequence: number }[], takenUntil: number): void {
    for (const { sequence } of bodies) this.#takenUntil.set(sequence, takenUntil);
  }

  end(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#takenUntil.delete(sequence);
  }
}
