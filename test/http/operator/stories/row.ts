import type { Bench } from './bench.ts';

/** A request that is refused, and what its story has to say. */
export interface Row {
  readonly send: (bench: Bench) => Promise<unknown>;
  /** What was sent, and what was expected. */
  readonly says: readonly string[];
  /** What to do. */
  readonly toPass: string;
  /** The gateway that refuses it; the ordinary one when absent. */
  readonly by?: 'strict' | 'tight' | 'full';
}

/** Why no client can cause it, or why this test does not. */
export interface Unreachable {
  readonly unreachable: string;
}

export type Rows<Name extends string> = Readonly<Record<Name, Row | Unreachable>>;
