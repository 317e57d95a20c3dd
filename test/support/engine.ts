import type { GatewayParts } from '../../src/gateway-parts.ts';
import type { BodyInventory } from '../../src/uploads/maintenance/ports.ts';

/** Where a gateway under test keeps what it records and stores. */
export interface OpenEngine {
  /** Absent ones: those of the gateway itself. */
  readonly parts: Pick<GatewayParts, 'records' | 'store' | 'quota'>;
  /** Of the store in `parts`; undefined without one. */
  readonly inventory: BodyInventory | undefined;
  /** Is called after the gateway is closed. */
  close(): Promise<void>;
}

/** Opens what a gateway works on. */
export interface Engine {
  /** @param name - another name opens other records and another store; the same name opens the same ones again */
  open(name: string): Promise<OpenEngine>;
}

/** SQLite and the disk, as the gateway and the test kit choose them. */
const own: Engine = {
  open: () => Promise.resolve({ parts: {}, inventory: undefined, close: () => Promise.resolve() }),
};

let current = own;

/**
 * Lets the gateways of all tests work on another engine. For a file in `setupFilesAfterEnv` of a Jest project.
 * @public
 */
export function useEngine(engine: Engine): void {
  current = engine;
}

export function openEngine(name: string): Promise<OpenEngine> {
  return current.open(name);
}
