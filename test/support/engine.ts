import type { GatewayParts } from '../../src/gateway-parts.ts';
import { DiskObjectStore } from '../../src/object-store/disk/disk-object-store.ts';
import type { BodyInventory } from '../../src/uploads/maintenance/ports.ts';
import type { ObjectStore } from '../../src/uploads/ports.ts';

/** Where a gateway under test keeps what it records and stores. */
export interface OpenEngine {
  /** Absent ones: those of the gateway itself. */
  readonly parts: Pick<GatewayParts, 'records' | 'store' | 'quota'>;
  /** Of the store in `parts`; undefined without one. */
  readonly inventory: BodyInventory | undefined;
  /** The bodies of the store that are being read. Absent: they are open files of the data folder. */
  openBodies?(): number;
  /** Is called after the gateway is closed. */
  close(): Promise<void>;
}

/** What a gateway works on. */
export interface Engine {
  /** Ledger and bodies are elsewhere than in the data folder. */
  readonly isShared: boolean;
  /** The methods of each store, for a test that replaces one of them. */
  readonly storeMethods: ObjectStore;
  /**
   * Opens it for a gateway.
   * @param name - another name opens other records and another store; the same name opens the same ones again
   * @param minFree - bytes of the disk that bodies must leave free
   */
  open(name: string, minFree: number): Promise<OpenEngine>;
  /** @returns the environment variables with which a command finds the records of a name */
  environment(name: string): Promise<Readonly<Record<string, string>>>;
}

/** SQLite and the disk, as the gateway and the test kit choose them. */
const own: Engine = {
  isShared: false,
  storeMethods: DiskObjectStore.prototype,
  open: () => Promise.resolve({ parts: {}, inventory: undefined, close: () => Promise.resolve() }),
  environment: () => Promise.resolve({}),
};

let current = own;

/**
 * Lets the gateways of all tests work on another engine. For a file in `setupFilesAfterEnv` of a Jest project.
 * @public
 */
export function useEngine(engine: Engine): void {
  current = engine;
}

/** @returns the engine of the tests */
export function engineUnderTest(): Engine {
  return current;
}

/** A test of what only a gateway has whose ledger and bodies are in its data folder. */
export function itOnOneMachine(name: string, test: () => Promise<void>): void {
  if (!current.isShared) it(name, test);
}
